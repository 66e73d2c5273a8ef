import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startPostgres } from './services/postgres.ts'
import { startRedis } from './services/redis.ts'
import type { Service } from './services/service.ts'
import { freePortFrom } from './start/free-port.ts'
import { findSupervisorBin } from './start/supervisor-bin.ts'
import { watchWrappers } from './start/wrappers.ts'

const folder = fileURLToPath(new URL('..', import.meta.url))
/** One Ctrl-C can arrive twice, from the terminal and from npm. A signal after this time is a person in a hurry. */
const sameKeystrokeMs = 1_000
const readyTimeoutMs = 60_000

/** Signals that were sent to us, once per intention. */
const signals = new (class {
  #lastAt = -Infinity
  #first: NodeJS.Signals | null = null
  forward: ((signal: NodeJS.Signals) => void) | null = null

  get first(): NodeJS.Signals | null {
    return this.#first
  }

  receive(signal: NodeJS.Signals): void {
    const now = performance.now()
    if (now - this.#lastAt < sameKeystrokeMs) return
    this.#lastAt = now
    this.#first ??= signal
    this.forward?.(signal)
  }
})()

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => signals.receive(signal))
// The terminal was closed. To the supervisor SIGHUP would mean "reload".
process.on('SIGHUP', () => signals.receive('SIGTERM'))
const wrappers = watchWrappers(() => signals.receive('SIGTERM'))

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
wrappers.stop()

async function main(): Promise<number> {
  const bin = findSupervisorBin()
  const host = process.env['HOST'] ?? '127.0.0.1'
  const wanted = Number(process.env['PORT'] ?? 3000)
  const port = await freePortFrom(wanted, host)
  if (port !== wanted) console.log(`Port ${wanted} is taken, so the app gets ${port}.`)
  const services = await startServices()
  let stopping = false
  for (const service of services) void service.gone.then(sentence => stopping || console.error(`${sentence}. The app goes on without it.`))
  try {
    // Ctrl-C while the databases were starting.
    if (signals.first) return codeOf(signals.first)
    const [postgres, redis] = services
    const env = { ...process.env, DATABASE_URL: postgres.url, REDIS_URL: redis.url, PORT: String(port), HOST: host }
    return await supervise(bin, env, `http://${host.includes(':') ? `[${host}]` : host}:${port}`)
  } finally {
    stopping = true
    await Promise.all(services.map(service => service.stop()))
  }
}

async function startServices(): Promise<readonly [Service, Service]> {
  const [postgres, redis] = await Promise.allSettled([startPostgres(), startRedis()])
  if (postgres.status === 'fulfilled' && redis.status === 'fulfilled') return [postgres.value, redis.value]
  for (const service of [postgres, redis]) if (service.status === 'fulfilled') await service.value.stop()
  throw postgres.status === 'rejected' ? postgres.reason : (redis as PromiseRejectedResult).reason
}

async function supervise(bin: string, env: NodeJS.ProcessEnv, url: string): Promise<number> {
  const leash = new URL('./start/leash.ts', import.meta.url).href
  const supervisor = spawn(process.execPath, ['--import', leash, bin, 'start', ...process.argv.slice(2)], {
    cwd: folder,
    env,
    // In a session of its own, so that a Ctrl-C reaches it once, from us, and not a second time from the terminal.
    detached: true,
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  signals.forward = signal => supervisor.kill(signal)
  supervisor.stdin.on('error', () => {})
  const ended = new Promise<number>((resolve, reject) => {
    supervisor.once('error', reject)
    supervisor.once('exit', (code, signal) => resolve(code ?? codeOf(signal)))
  })
  void announce(url, supervisor)
  return ended
}

async function announce(url: string, supervisor: ChildProcess): Promise<void> {
  const end = performance.now() + readyTimeoutMs
  while (!(await answers(url))) {
    if (supervisor.exitCode !== null || signals.first || performance.now() > end) return
    await sleep(100)
  }
  const here = relative(process.env['INIT_CWD'] ?? process.cwd(), folder)
  console.log(`
The app is at ${url}. Ctrl-C stops it, and its databases with it. In another terminal:

  curl -i '${url}/cpu?ms=20'
${here ? `  cd ${here}\n` : ''}  npx stationmaster status
  npx stationmaster scale 3
  npx stationmaster top
`)
}

async function answers(url: string): Promise<boolean> {
  return fetch(`${url}/health`, { signal: AbortSignal.timeout(1_000) }).then(
    async response => (await response.text(), response.ok),
    () => false,
  )
}

function codeOf(signal: NodeJS.Signals | null): number {
  return 128 + (signal ? constants.signals[signal] : 0)
}
