import { startPostgres, startRedis } from 'example-app/services'
import { expect, test } from 'vitest'
import { kill } from '../../packages/example-app/src/services/process-table.ts'
import { type AppServer, freePort, startApp, until } from './processes.ts'

const own = process.env['DATABASE_URL'] === undefined && process.env['REDIS_URL'] === undefined

/** Far above every time-out of the app: a request that takes longer hangs. */
const hangsAfterMs = 20_000

async function ask(server: AppServer, path: string, init: RequestInit = {}): Promise<{ status: number; text: string }> {
  const response = await fetch(server.url + path, { ...init, signal: AbortSignal.timeout(hangsAfterMs) })
  return { status: response.status, text: await response.text() }
}

const login: RequestInit = { method: 'POST', body: '{"name":"Ada"}', headers: { 'Content-Type': 'application/json' } }

// Only with servers that are ours to end.
test.runIf(own)(
  'the app outlives its databases, says so, and works again when they are back',
  async () => {
    const ports = [await freePort(), await freePort()] as const
    const start = () => Promise.all([startPostgres({ port: ports[0] }), startRedis({ port: ports[1] })])
    let [postgres, redis] = await start()
    const urls = { DATABASE_URL: postgres.url, REDIS_URL: redis.url }
    const server = await startApp(urls)
    expect((await ask(server, '/notes')).status).toBe(200)
    await redis.stop()
    expect(await ask(server, '/login', login)).toMatchObject({ status: 503, text: expect.stringContaining('Redis') })
    expect((await ask(server, '/notes')).status).toBe(200)
    await postgres.stop()
    for (const path of ['/notes', '/query']) {
      expect(await ask(server, path)).toMatchObject({ status: 503, text: expect.stringContaining('PostgreSQL') })
    }
    expect(await ask(server, '/health')).toMatchObject({ status: 200, text: expect.stringContaining('"postgres":"away"') })
    expect(await ask(server, '/wait?ms=5')).toMatchObject({ status: 200 })
    ;[, redis] = [postgres, await startRedis({ port: ports[1] })]
    await until('sessions work again', async () => (await ask(server, '/login', login)).status === 200, 5_000)
    await server.stop()
    await redis.stop()
  },
  60_000,
)

test.runIf(own)(
  'a paused Redis and a paused PostgreSQL hold no request for ever',
  async () => {
    const [postgres, redis] = await Promise.all([startPostgres(), startRedis()])
    const server = await startApp({ DATABASE_URL: postgres.url, REDIS_URL: redis.url })
    const cookie = (await fetch(`${server.url}/login`, login)).headers.getSetCookie()[0]?.split(';')[0] ?? ''
    for (const pid of [postgres.pid, redis.pid]) kill(pid ?? 0, 'SIGSTOP')
    // Only the postmaster is paused: sessions that exist go on, new ones are not made.
    const [me, ...queries] = await Promise.all([ask(server, '/me', { headers: { cookie } }), ...[1, 2, 3].map(() => ask(server, '/query?sleep=300'))])
    expect(me).toMatchObject({ status: 503 })
    for (const query of queries) expect([200, 503]).toContain(query.status)
    for (const pid of [postgres.pid, redis.pid]) kill(pid ?? 0, 'SIGCONT')
    await until('it knows the session again', async () => (await ask(server, '/me', { headers: { cookie } })).status === 200, 5_000)
    await server.stop()
    await Promise.all([postgres.stop(), redis.stop()])
  },
  60_000,
)

test('without any database it starts, and says what is missing', async () => {
  const server = await startApp({ DATABASE_URL: '', REDIS_URL: '' })
  expect((await ask(server, '/cpu?ms=1')).status).toBe(200)
  expect((await ask(server, '/notes')).status).toBe(503)
  expect((await ask(server, '/login', login)).status).toBe(503)
  expect(server.output()).toContain('DATABASE_URL is not set')
  await server.stop()
}, 30_000)
