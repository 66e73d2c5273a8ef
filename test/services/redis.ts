import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startRedis } from 'example-app/services'
import { Redis } from 'ioredis'
import { freePort } from '../processes/harness/leftovers.ts'
import { until } from '../processes/harness/until.ts'

/** A Redis that keeps nothing over a restart. */
export interface FailingRedis {
  readonly port: number
  /** It ends, and another process is there on its port, empty. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** The one from npm; with REDIS_SERVER_PATH a real one, whose processes have an identity (`run_id`), which that of npm does not tell. */
export async function startFailingRedis(): Promise<FailingRedis> {
  // Not a server that is there already: this one is emptied and ended.
  delete process.env['REDIS_URL']
  const file = process.env['REDIS_SERVER_PATH']
  return file === undefined ? await startFromNpm() : await startReal(file)
}

/** Asks the server itself, whatever becomes of the way that the replicas take. */
export async function inRedis<Value>(port: number, act: (client: Redis) => Promise<Value>): Promise<Value> {
  const client = new Redis(port, '127.0.0.1', { retryStrategy: () => null })
  client.on('error', () => {}) // the call that fails says so itself
  try {
    return await act(client)
  } finally {
    client.disconnect()
  }
}

async function startFromNpm(): Promise<FailingRedis> {
  let service = await startRedis()
  const port = Number(new URL(service.url).port)
  return {
    port,
    stop: async () => await service.stop(),
    async restart() {
      await service.stop()
      service = await startRedis({ port })
    },
  }
}

async function startReal(file: string): Promise<FailingRedis> {
  const port = await freePort()
  const folder = await mkdtemp(path.join(tmpdir(), 'stationmaster-redis-'))
  const isThere = async (): Promise<boolean> => (await inRedis(port, async (client) => await client.ping()).catch(() => null)) === 'PONG'
  const start = async (): Promise<ChildProcess> => {
    const started = spawn(file, ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--dir', folder], { stdio: 'ignore' })
    await until('Redis', isThere)
    return started
  }
  const end = async (server: ChildProcess): Promise<void> => {
    const ended = once(server, 'exit')
    await inRedis(port, async (client) => await client.shutdown('NOSAVE')).catch(() => {})
    await ended
  }
  let server = await start()
  return {
    port,
    async restart() {
      await end(server)
      server = await start()
    },
    async stop() {
      await end(server)
      await rm(folder, { recursive: true })
    },
  }
}
