import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startPostgres, startRedis } from 'example-app/services'
import { Redis } from 'ioredis'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { isAlive, kill, listProcesses } from '../../packages/example-app/src/services/process-table.ts'
import { until } from './processes.ts'

const parentFile = fileURLToPath(new URL('fixtures/starts-services.ts', import.meta.url))
let folder = ''

/** Every process that belongs to a server of this test: its folder is in the command line, or it descends from one. */
const processesOf = (pids: readonly number[]): number[] => pids.filter(isAlive)
const hostOf = (pid: number): number => listProcesses().find((row) => row.pid === pid)?.parent ?? 0
const connect = (url: string): pg.Client => new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 })

beforeEach(() => {
  // These tests are about the launchers, also where the other tests are given servers that already run.
  vi.stubEnv('DATABASE_URL', undefined)
  vi.stubEnv('REDIS_URL', undefined)
  // A folder of its own for temporary files: what is left in it was left by this test.
  folder = mkdtempSync(join(tmpdir(), 'services-test-'))
  chmodSync(folder, 0o755)
  vi.stubEnv('TMPDIR', folder)
})

afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

describe('PostgreSQL', () => {
  test('starts a real server, and stop leaves no process and no file', async () => {
    const service = await startPostgres({ maxConnections: 17 })
    const family = [service.pid ?? 0, hostOf(service.pid ?? 0)]
    const client = connect(service.url)
    await client.connect()
    const { rows } = await client.query("SELECT current_setting('server_version_num')::int AS version, current_setting('max_connections') AS max")
    await client.end()
    expect(rows[0].version).toBeGreaterThanOrEqual(180_000)
    expect(rows[0].max).toBe('17')
    await service.stop()
    await service.stop()
    expect(processesOf(family)).toEqual([])
    expect(leftFolders()).toEqual([])
    expect(await service.gone).toContain('exit code 0')
  })

  test('asks for its password, although on the loopback address', async () => {
    const service = await startPostgres()
    const { hostname, port } = new URL(service.url)
    const client = connect(`postgres://postgres:guess@${hostname}:${port}/postgres`)
    await expect(client.connect()).rejects.toThrow(/password authentication failed/)
    await service.stop()
  })

  test('stops with a session that is busy, and with a server that is paused', async () => {
    const service = await startPostgres()
    const client = connect(service.url)
    client.on('error', () => {})
    await client.connect()
    const query = client.query('SELECT pg_sleep(60)').catch((error: Error) => error.message)
    kill(service.pid ?? 0, 'SIGSTOP')
    await service.stop()
    expect(await query).toMatch(/terminat/i)
    expect(leftFolders()).toEqual([])
  })

  test('takes the port that it is told, and says when that port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    await expect(startPostgres({ port })).rejects.toThrow(/could not be started.*Address already in use/s)
    other.close()
    await once(other, 'close')
    const service = await startPostgres({ port })
    expect(new URL(service.url).port).toBe(String(port))
    await service.stop()
    expect(leftFolders()).toEqual([])
  })

  test('says when the server ended by itself, and cleans up after it', async () => {
    const service = await startPostgres()
    kill(service.pid ?? 0, 'SIGKILL')
    expect(await service.gone).toContain('PostgreSQL ended by itself (SIGKILL)')
    await service.stop()
    await until('the folder is gone', () => leftFolders().length === 0)
  })

  test.runIf(process.getuid?.() === 0)('starts as root, also where only root may enter the folder for temporary files', async () => {
    chmodSync(folder, 0o700)
    const service = await startPostgres()
    const client = connect(service.url)
    await client.connect()
    await client.end()
    await service.stop()
    expect(leftFolders()).toEqual([])
  })

  test('is not started when DATABASE_URL is set', async () => {
    vi.stubEnv('DATABASE_URL', 'postgres://there.example/already')
    const service = await startPostgres()
    expect(service).toMatchObject({ url: 'postgres://there.example/already', pid: null })
    await service.stop()
  })
})

describe('Redis', () => {
  test('starts on the loopback address only, and stop leaves no process', async () => {
    const service = await startRedis()
    const redis = new Redis(service.url, { retryStrategy: () => null })
    await redis.set('greeting', 'hello', 'EX', 10)
    expect(await redis.get('greeting')).toBe('hello')
    redis.disconnect()
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((address) => address && !address.internal && address.family === 'IPv4')
    if (outside) {
      const stranger = new Redis(Number(new URL(service.url).port), outside.address, { retryStrategy: () => null, lazyConnect: true })
      stranger.on('error', () => {})
      await expect(stranger.connect()).rejects.toThrow()
    }
    await service.stop()
    expect(isAlive(service.pid ?? 0)).toBe(false)
  })

  test('stops, also when it is paused or has clients', async () => {
    const service = await startRedis()
    const redis = new Redis(service.url, { retryStrategy: () => null })
    redis.on('error', () => {})
    await redis.ping()
    kill(service.pid ?? 0, 'SIGSTOP')
    await service.stop()
    expect(isAlive(service.pid ?? 0)).toBe(false)
    redis.disconnect()
  })
})

describe('when the process that started them dies by SIGKILL', () => {
  test('both servers end, and no file stays', async () => {
    const { parent, pids } = await parentWithServices()
    parent.kill('SIGKILL')
    await until('all servers are gone', () => processesOf(pids).length === 0)
    await until('the folder is gone', () => leftFolders().length === 0)
  })

  test('and its host dies by SIGKILL too, the next start cleans up', async () => {
    const { parent, pids, postgres } = await parentWithServices()
    for (const pid of [hostOf(postgres), parent.pid ?? 0]) kill(pid, 'SIGKILL')
    expect(isAlive(postgres)).toBe(true)
    expect(leftFolders()).toHaveLength(1)
    const service = await startPostgres()
    await until('the leftover server is gone', () => processesOf(pids).length === 0)
    expect(leftFolders()).toHaveLength(1)
    await service.stop()
    expect(leftFolders()).toEqual([])
  })

  test('a folder of somebody who still lives is left alone', async () => {
    const used = join(folder, 'stationmaster-postgres-used')
    mkdirSync(used)
    writeFileSync(join(used, 'owner.pid'), String(process.pid))
    const service = await startPostgres()
    await service.stop()
    expect(readFileSync(join(used, 'owner.pid'), 'utf8')).toBe(String(process.pid))
  })
})

function leftFolders(): string[] {
  return readdirSync(folder)
}

async function parentWithServices(): Promise<{ parent: ReturnType<typeof spawn>; pids: number[]; postgres: number }> {
  const parent = spawn(process.execPath, [parentFile], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(parent.stdout, 'data')) as [Buffer]
  const { postgres, redis } = JSON.parse(line.toString()) as { postgres: number; redis: number }
  return { parent, pids: [postgres, hostOf(postgres), redis], postgres }
}
