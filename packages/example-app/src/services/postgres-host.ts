import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { appendFileSync, chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Hosted, host } from './host.ts'
import { clearLeftovers, killServerIn, makeFolder } from './leftovers.ts'
import type { PostgresOptions } from './postgres.ts'
import { binariesForAnyUser, findBinaries, reachableByAll } from './postgres-binaries.ts'
import { kill } from './process-table.ts'

const options: PostgresOptions = JSON.parse(process.argv[2] ?? '{}')
/** PostgreSQL refuses to run as root. 65534 is "nobody" everywhere, and needs no entry in /etc/passwd. */
const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : null
/** A fast shutdown ends every session at once; only a stopped or stuck backend makes it last. */
const shutdownTimeoutMs = 3_000
/** Somebody else may take a free port between our look and the server's bind. */
const portAttempts = 5
const outputTailBytes = 4_000

await host(async () => {
  const parent = user && !(await reachableByAll(tmpdir())) ? '/tmp' : tmpdir()
  clearLeftovers(parent)
  const folder = makeFolder(parent)
  try {
    const cluster = await createCluster(folder)
    return await startOnFreePort(cluster)
  } catch (error) {
    removeFolder(folder)
    throw error
  }
})

type Cluster = { readonly binaries: string; readonly folder: string; readonly data: string; readonly password: string }

async function createCluster(folder: string): Promise<Cluster> {
  const binaries = user ? await binariesForAnyUser(folder) : await findBinaries()
  const data = join(folder, 'data')
  const passwordFile = join(folder, 'password')
  // Loopback is shared with every user of the machine, and a superuser may run commands: hence a password.
  const password = randomBytes(12).toString('hex')
  writeFileSync(passwordFile, password, { mode: 0o600 })
  mkdirSync(data, { mode: 0o700 })
  if (user) {
    chmodSync(folder, 0o711)
    for (const path of [data, passwordFile]) chownSync(path, user.uid, user.gid)
  }
  const access = ['--username', 'postgres', '--pwfile', passwordFile, '--auth', 'scram-sha-256']
  const format = ['--encoding', 'UTF8', '--locale', 'C', '--no-sync', '--no-instructions']
  const initdb = run(join(binaries, 'bin/initdb'), ['--pgdata', data, ...access, ...format])
  const end = await initdb.ended
  if (end !== 'exit code 0') throw new Error(`initdb failed (${end}): ${initdb.output()}`)
  rmSync(passwordFile)
  return { binaries, folder, data, password }
}

async function startOnFreePort(cluster: Cluster): Promise<Hosted> {
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort())
    const server = run(join(cluster.binaries, 'bin/postgres'), ['-D', cluster.data, ...settings(port)])
    const ready = server.printed('ready to accept connections').then(() => 'ready')
    const outcome = await Promise.race([ready, server.ended])
    if (outcome === 'ready') return hosted(cluster, server, port)
    const portTaken = server.output().includes('Address already in use')
    if (!portTaken || options.port || attempt === portAttempts) throw new Error(`it ended at once (${outcome}): ${server.output()}`)
  }
}

/** Nothing here is worth keeping after a crash, so every guarantee that costs time is off. */
function settings(port: number): string[] {
  const all = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: options.maxConnections ?? 100,
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    shared_buffers: '32MB',
    log_line_prefix: '%e ',
    // Inside the data folder, so that even a killed server leaves nothing in /dev/shm.
    dynamic_shared_memory_type: 'mmap',
  }
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

function hosted(cluster: Cluster, server: Running, port: number): Hosted {
  return {
    url: `postgres://postgres:${cluster.password}@127.0.0.1:${port}/postgres`,
    pid: server.pid,
    died: server.ended.then((end) => `PostgreSQL ended by itself (${end}): ${server.output()}`),
    stop: async () => {
      kill(server.pid, 'SIGINT')
      const timer = new AbortController()
      const late = sleep(shutdownTimeoutMs, 'late', { signal: timer.signal }).catch(() => '')
      if ((await Promise.race([server.ended, late])) === 'late') killServerIn(cluster.folder)
      await server.ended
      timer.abort()
      removeFolder(cluster.folder)
    },
  }
}

type Running = {
  readonly pid: number
  readonly ended: Promise<string>
  output(): string
  printed(text: string): Promise<void>
}

function run(command: string, args: readonly string[]): Running {
  const child: ChildProcess = spawn(command, args, { ...user, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C' } })
  let tail = ''
  const waiting = new Map<string, () => void>()
  const read = (chunk: string): void => {
    tail = (tail + chunk).slice(-outputTailBytes)
    if (options.logFile !== undefined) appendFileSync(options.logFile, chunk)
    for (const [text, resolve] of waiting) if (tail.includes(text)) resolve()
  }
  child.stdout?.setEncoding('utf8').on('data', read)
  child.stderr?.setEncoding('utf8').on('data', read)
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`could not run: ${error.message}`))
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
  })
  return {
    pid: child.pid ?? 0,
    ended,
    output: () => tail.trim(),
    printed: (text) => new Promise((resolve) => waiting.set(text, resolve)),
  }
}

function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
