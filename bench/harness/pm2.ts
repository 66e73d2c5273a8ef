import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type App, appFile, type Contestant } from './contestants.ts'
import { freePort } from './ports.ts'
import { familyOf, isAlive } from './proc.ts'
import { onceAtEnd } from './processes.ts'
import { until } from './wait.ts'

const PM2 = 'pm2@7.0.4'
const INSTALL_LIMIT_MS = 180_000
const COMMAND_LIMIT_MS = 90_000
const END_LIMIT_MS = 10_000

export interface Pm2Server extends Contestant {
  /** Each waits for the command's end and throws when its exit code is not 0. */
  reload(): void
  scale(workers: number): void
}

let installed: { readonly folder: string } | { readonly missing: string } | null = null

/** Installs PM2 into a folder of its own, once. A sentence instead says why it cannot be measured. */
export function installPm2(): string | null {
  installed ??= install()
  return 'missing' in installed ? installed.missing : null
}

export function removePm2(): void {
  if (installed && 'folder' in installed) rmSync(installed.folder, { recursive: true, force: true })
  installed = null
}

function install(): NonNullable<typeof installed> {
  const folder = mkdtempSync(path.join(tmpdir(), 'stationmaster-bench-pm2-'))
  const { status, error, stderr } = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--prefix', folder, PM2], {
    encoding: 'utf8',
    timeout: INSTALL_LIMIT_MS,
  })
  if (status === 0) return { folder }
  rmSync(folder, { recursive: true, force: true })
  return { missing: `${PM2} could not be installed: ${error?.message ?? stderr.trim().split('\n').at(-1)}` }
}

/** An app in PM2's cluster mode, under a daemon of its own. */
export async function startPm2(app: App, workers: number): Promise<Pm2Server> {
  if (!installed || 'missing' in installed) throw new Error('PM2 is not installed')
  const home = mkdtempSync(path.join(installed.folder, 'home-'))
  const port = await freePort()
  const command = path.join(installed.folder, 'node_modules/pm2/bin/pm2')
  const run = (...args: string[]): void => {
    const env = { ...process.env, PM2_HOME: home, PORT: String(port), NODE_ENV: 'production' }
    const { status, stderr, stdout } = spawnSync(process.execPath, [command, ...args], { env, encoding: 'utf8', timeout: COMMAND_LIMIT_MS })
    if (status !== 0) throw new Error(`pm2 ${args.join(' ')} failed: ${stderr || stdout}`)
  }
  const pid = (): number => Number(readFileSync(path.join(home, 'pm2.pid'), 'utf8'))
  const stop = onceAtEnd(async () => {
    const family = familyOf(pid())
    run('kill')
    const gone = until('the end of PM2', END_LIMIT_MS, () => (family.some(isAlive) ? null : true))
    await gone.catch(() => {
      for (const member of family) if (isAlive(member)) process.kill(member, 'SIGKILL')
    })
  })
  run('start', appFile(app), '-i', String(workers), '--name', 'app')
  return {
    name: 'PM2',
    port,
    pid: pid(),
    lastOutput: () => '',
    reload: () => run('reload', 'app'),
    scale: (count) => run('scale', 'app', String(count)),
    stop,
  }
}
