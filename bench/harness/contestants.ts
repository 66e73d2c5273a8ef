import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { connectControl, type Status } from 'stationmaster'
import { freePort } from './ports.ts'
import { end, onceAtEnd, start } from './processes.ts'
import { until, within } from './wait.ts'

export type App = 'hello' | 'who' | 'express' | 'socket-io' | 'crowd' | 'database'

/** A server under one supervisor or another. */
export interface Contestant {
  readonly name: string
  readonly port: number
  /** Of the process that supervises. */
  readonly pid: number
  /** The last of what it wrote. */
  lastOutput(): string
  stop(): Promise<void>
}

export interface Stationmaster extends Contestant {
  scale(workers: number): Promise<void>
  reload(): Promise<void>
  /** Waits for that many ready workers and spares (any number where it says nothing), and nobody on the way in or out. */
  settled(ready: number, spares?: number): Promise<Status>
}

export interface BareCluster extends Contestant {
  fork(): void
  /** Ends the newest worker; resolves when it is gone. */
  shrink(): Promise<void>
}

const CLI = fileURLToPath(new URL('../../packages/supervisor/dist/cli.js', import.meta.url))
const CLUSTER = appFile('bare-cluster')
const START_LIMIT_MS = 20_000
const SETTLE_LIMIT_MS = 60_000

export function appFile(app: App | 'bare-cluster' | 'sticky-cluster' | 'least-busy-cluster'): string {
  return fileURLToPath(new URL(`../fixtures/${app}.mjs`, import.meta.url))
}

/** Resolves when its workers are ready. Options beyond the defaults go into a config file, as a user would have them. */
export async function startStationmaster(
  app: App,
  workers: { min: number; max: number; spares?: number; oversubscribe?: boolean },
  more: { readonly config?: object; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Stationmaster> {
  const port = await freePort()
  const folder = mkdtempSync(path.join(tmpdir(), 'stationmaster-bench-'))
  const socketPath = path.join(folder, 'control.sock')
  const config = path.join(folder, 'stationmaster.config.json')
  writeFileSync(config, JSON.stringify({ entry: appFile(app), workers, ...more.config }))
  const args = ['start', appFile(app), '--config', config, '--control', socketPath, '--log', 'json']
  const started = start(CLI, args, { env: { PORT: String(port), ...more.env }, cwd: folder })
  const stop = onceAtEnd(async () => {
    await end(started)
    rmSync(folder, { recursive: true, force: true })
  })
  const control = connectControl(socketPath)
  const settled = (ready: number, spares?: number): Promise<Status> =>
    until(
      () => `${ready} ready workers and ${spares ?? 'any'} spares; it wrote: ${started.lastOutput()}`,
      SETTLE_LIMIT_MS,
      async () => {
        if (started.process.exitCode !== null) throw new Error(`stationmaster ended: ${started.lastOutput()}`)
        const now = await control.status().catch(() => null)
        const count = (state: string): number => now?.workers.filter((worker) => worker.state === state).length ?? 0
        return now && count('ready') === ready && count('spare') === (spares ?? count('spare')) && now.workers.length === ready + count('spare')
          ? now
          : null
      },
    )
  await settled(workers.min)
  return {
    name: 'stationmaster',
    port,
    pid: started.pid,
    lastOutput: () => started.lastOutput(),
    settled,
    scale: async (count) => void (await control.scale(count)),
    reload: async () => void (await control.reload()),
    stop,
  }
}

export function readyPids(status: Status): number[] {
  return status.workers.flatMap(({ state, pid }) => (state === 'ready' && pid !== null ? [pid] : []))
}

export async function startBareCluster(app: App, count: number, env: Readonly<Record<string, string>> = {}): Promise<BareCluster> {
  const port = await freePort()
  return await startCluster(CLUSTER, app, count, { PORT: String(port), ...env })
}

/** An app that is a worker of @socket.io/sticky. */
export async function startSticky(app: App, count: number): Promise<Contestant> {
  return { ...(await startCluster(appFile('sticky-cluster'), app, count, { PORT: String(await freePort()) })), name: '@socket.io/sticky' }
}

/** A primary that accepts and hands over to the worker with the fewest connections. */
export async function startLeastBusy(app: App, count: number): Promise<Contestant> {
  return { ...(await startCluster(appFile('least-busy-cluster'), app, count, { PORT: String(await freePort()) })), name: 'least-busy' }
}

async function startCluster(program: string, app: App, count: number, env: Readonly<Record<string, string>>): Promise<BareCluster> {
  const started = start(program, [appFile(app), String(count)], { env })
  const listening = new Promise<void>((resolve, reject) => {
    started.process.on('message', (message: { workers: number }) => {
      if (message.workers >= count) resolve()
    })
    started.process.on('exit', () => reject(new Error(`the bare cluster ended: ${started.lastOutput()}`)))
  })
  await within('the workers of a bare cluster', START_LIMIT_MS, listening)
  return {
    name: 'Node cluster',
    port: Number(env['PORT']),
    pid: started.pid,
    lastOutput: () => started.lastOutput(),
    fork: () => void started.process.send({ kind: 'fork' }),
    async shrink() {
      const gone = once(started.process, 'message')
      started.process.send({ kind: 'shrink' })
      await within('the end of a worker of a bare cluster', START_LIMIT_MS, gone)
    },
    stop: () => end(started),
  }
}
