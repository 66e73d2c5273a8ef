import { once } from 'node:events'
import http from 'node:http'
import { type Service, startPostgres, startRedis } from 'example-app/services'
import { io, type Socket } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AppServer, startApp } from './processes.ts'

let postgres: Service
let redis: Service
let first: AppServer
let second: AppServer

beforeAll(async () => {
  ;[postgres, redis] = await Promise.all([startPostgres(), startRedis()])
  const env = { DATABASE_URL: postgres.url, REDIS_URL: redis.url }
  // At the same time, so that both make the tables.
  ;[first, second] = await Promise.all([startApp(env), startApp(env)])
}, 60_000)

afterAll(async () => {
  await Promise.all([first.stop(), second.stop()])
  await Promise.all([postgres.stop(), redis.stop()])
}, 60_000)

const post = (url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) })

const cookieOf = (response: Response): string =>
  response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ')

async function logIn(server: AppServer, name: string): Promise<string> {
  const response = await post(`${server.url}/login`, { name })
  expect(response.status).toBe(200)
  return cookieOf(response)
}

describe('sessions', () => {
  test('are saved by one process and read by another', async () => {
    const cookie = await logIn(first, 'Ada')
    const response = await fetch(`${second.url}/me`, { headers: { cookie } })
    expect(await response.json()).toEqual({ name: 'Ada' })
  })

  test('end everywhere with a logout', async () => {
    const cookie = await logIn(first, 'Ada')
    expect((await post(`${second.url}/logout`, {}, { cookie })).status).toBe(200)
    expect((await fetch(`${first.url}/me`, { headers: { cookie } })).status).toBe(401)
  })

  test('get a new id at login, and none without a login', async () => {
    const cookie = await logIn(first, 'Ada')
    const again = await post(`${first.url}/login`, { name: 'Grace' }, { cookie })
    expect(cookieOf(again)).not.toBe(cookie)
    const stranger = await fetch(`${first.url}/me`)
    expect(stranger.status).toBe(401)
    expect(stranger.headers.getSetCookie()).toEqual([])
  })

  test('need a name', async () => {
    for (const body of [{}, { name: '  ' }, { name: 7 }]) expect((await post(`${first.url}/login`, body)).status).toBe(400)
  })
})

describe('routes', () => {
  test('/ shows who answered', async () => {
    const response = await fetch(first.url)
    expect(response.headers.get('content-type')).toContain('text/html')
    expect(response.headers.get('x-worker')).toBe('alone')
    expect(await response.text()).toContain('worker <b>alone</b>')
  })

  test('/health is about this process, and names what it depends on', async () => {
    expect(await (await fetch(`${first.url}/health`)).json()).toEqual({ ok: true, worker: 'alone', postgres: 'ok', redis: 'ready' })
  })

  test('/cpu keeps the event loop busy: requests are answered one after the other', async () => {
    const answered: string[] = []
    const ask = (path: string): http.ClientRequest =>
      http.get(first.url + path, { agent: false }, (response) => {
        answered.push(path)
        response.resume()
      })
    const busy = ask('/cpu?ms=200')
    const busyDone = once(busy, 'close')
    // From here on it is in the hands of the kernel, ahead of whatever comes next.
    await once(busy, 'finish')
    const later = ask('/')
    await Promise.all([busyDone, once(later, 'close')])
    expect(answered).toEqual(['/cpu?ms=200', '/'])
  })

  test('/wait leaves it to others: a long wait holds up nobody', async () => {
    const leaving = new AbortController()
    const long = fetch(`${first.url}/wait?ms=10000`, { signal: leaving.signal }).then(
      () => 'answered',
      () => 'still waiting',
    )
    const short = await Promise.all([1, 2, 3].map(() => fetch(`${first.url}/wait?ms=5`)))
    expect(short.map((answer) => answer.status)).toEqual([200, 200, 200])
    leaving.abort()
    expect(await long).toBe('still waiting')
  })

  test.each(['/cpu?ms=NaN', '/cpu?ms=-5', '/cpu?ms=1&ms=2', '/wait?ms=', '/query?sleep=x'])('%s is answered', async (path) => {
    expect((await fetch(first.url + path)).status).toBe(200)
  })

  test('/query asks PostgreSQL', async () => {
    const answer = (await (await fetch(`${first.url}/query?sleep=30`)).json()) as { backend: number; sleptMs: number }
    expect(answer.backend).toBeGreaterThan(0)
    expect(answer.sleptMs).toBe(30)
  })

  test('/notes written to one process are read from the other', async () => {
    const body = `a note, ${Math.random()}`
    const created = await post(`${first.url}/notes`, { body, author: 'Ada' })
    expect(created.status).toBe(201)
    const { notes } = (await (await fetch(`${second.url}/notes`)).json()) as { notes: { body: string; author: string }[] }
    expect(notes[0]).toMatchObject({ body, author: 'Ada' })
  })

  test.each([[{}], [{ body: '' }], [{ body: 5 }], [{ body: 'x'.repeat(2_001) }], [null], [[]]])('/notes refuses %j', async (body) => {
    expect((await post(`${first.url}/notes`, body)).status).toBe(400)
  })

  test('/stream sends events until the reader leaves', async () => {
    const leaving = new AbortController()
    const response = await fetch(`${first.url}/stream`, { signal: leaving.signal })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const { value } = await (response.body as ReadableStream<Uint8Array>).getReader().read()
    expect(new TextDecoder().decode(value)).toContain('data: {"worker":"alone","count":1}')
    leaving.abort()
  })

  test('anything else is 404, and bad JSON is 400', async () => {
    expect((await fetch(`${first.url}/nothing`)).status).toBe(404)
    const bad = await fetch(`${first.url}/notes`, { method: 'POST', body: '{', headers: { 'Content-Type': 'application/json' } })
    expect(bad.status).toBe(400)
  })
})

describe('chat', () => {
  test('people in a room hear each other, under the name of their session, and find the history', async () => {
    const cookie = await logIn(first, 'Ada')
    const ada = await enter({ extraHeaders: { cookie } })
    const guest = await enter({})
    const heard = once(guest.socket as never, 'message')
    expect(await ada.socket.emitWithAck('say', 'hello')).toEqual({ worker: 'alone', saved: true })
    expect((await heard)[0]).toEqual({ author: 'Ada', body: 'hello', worker: 'alone' })
    const late = await enter({})
    expect(late.joined.recent).toContainEqual({ author: 'Ada', body: 'hello', worker: 'alone' })
    for (const each of [ada, guest, late]) each.socket.disconnect()
  })

  test('nonsense is refused', async () => {
    const { socket } = await enter({})
    expect(await socket.emitWithAck('join', '../../etc')).toHaveProperty('error')
    expect(await socket.emitWithAck('say', { deep: true })).toHaveProperty('error')
    socket.emit('join')
    socket.emit('say', 'no callback')
    expect(await socket.emitWithAck('say', 'still here')).toHaveProperty('saved', true)
    socket.disconnect()
  })

  async function enter(options: object): Promise<{ socket: Socket; joined: { recent: unknown[] } }> {
    const socket = io(first.url, { transports: ['websocket'], forceNew: true, ...options })
    return { socket, joined: await socket.timeout(5_000).emitWithAck('join', 'lobby') }
  }
})

test('SIGTERM ends it', async () => {
  const server = await startApp({ DATABASE_URL: postgres.url, REDIS_URL: redis.url })
  await server.stop()
  expect(server.process.exitCode ?? server.process.signalCode).toSatisfy((end) => end === 0 || end === 'SIGTERM')
})
