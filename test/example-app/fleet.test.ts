import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startSessionLoad, startSocketLoad } from 'example-app/load'
import { type Service, startPostgres, startRedis } from 'example-app/services'
import { io, type Socket } from 'socket.io-client'
import { type ControlClient, connectControl } from 'stationmaster'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Answer, send } from '../../packages/example-app/src/load/http-client.ts'
import { familyOf, isAlive } from '../../packages/example-app/src/services/process-table.ts'
import { findSupervisorBin } from '../../packages/example-app/src/start/supervisor-bin.ts'
import { freePort, until } from './processes.ts'

const entry = fileURLToPath(new URL('../../packages/example-app/src/server.ts', import.meta.url))
const workerCount = 3

let services: Service[] = []
let supervisor: ReturnType<typeof spawn>
let control: ControlClient
let folder = ''
let url = ''
let log = ''

beforeAll(async () => {
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()])
  services = [postgres, redis]
  folder = mkdtempSync(join(tmpdir(), 'fleet-test-'))
  const config = join(folder, 'config.json')
  const socket = join(folder, 'control.sock')
  log = join(folder, 'log')
  writeFileSync(
    config,
    JSON.stringify({ entry, workers: { min: workerCount, max: workerCount + 1, spares: 0, oversubscribe: true }, scaling: { mode: 'shadow' } }),
  )
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  const env = { ...process.env, DATABASE_URL: postgres.url, REDIS_URL: redis.url, PORT: String(port), HOST: '127.0.0.1' }
  supervisor = spawn(process.execPath, [findSupervisorBin(), 'start', '--config', config, '--control', socket, '--log', 'json'], {
    env,
    stdio: ['ignore', openSync(log, 'w'), openSync(log, 'a')],
  })
  control = connectControl(socket)
  await until('three workers are ready', async () => (await control.status().catch(() => null))?.state === 'running', 40_000)
}, 60_000)

afterAll(async () => {
  const family = familyOf(supervisor.pid ?? 0)
  expect(supervisor.exitCode, `the supervisor has ended by itself:\n${readFileSync(log, 'utf8').slice(-4_000)}`).toBeNull()
  const exited = once(supervisor, 'exit')
  supervisor.kill('SIGTERM')
  expect((await exited)[0]).toBe(0)
  await Promise.all(services.map((service) => service.stop()))
  rmSync(folder, { recursive: true })
  expect(family.length).toBeGreaterThan(workerCount)
  expect(family.filter(isAlive)).toEqual([])
}, 60_000)

/** A request on a connection of its own, so that any worker may get it. */
async function ask(path: string, cookie = '', body?: object): Promise<Answer> {
  const agent = new Agent()
  try {
    return await send({ agent, url: new URL(path, url), timeoutMs: 10_000, headers: cookie ? { cookie } : {}, ...(body && { body, method: 'POST' }) })
  } finally {
    agent.destroy()
  }
}

async function logIn(name: string): Promise<string> {
  const answer = await ask('/login', '', { name })
  expect(answer.status).toBe(200)
  return answer.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
}

/** What every worker says to the same request. */
async function askAll(path: string, cookie: string): Promise<Map<string, Answer>> {
  const answers = new Map<string, Answer>()
  await until(`all workers have answered ${path}`, async () => {
    const answer = await ask(path, cookie)
    answers.set(String(answer.headers['x-worker']), answer)
    return answers.size === workerCount
  })
  return answers
}

test('who logs in on one worker is known on every other, and after a logout on none', async () => {
  const cookie = await logIn('Ada')
  for (const answer of (await askAll('/me', cookie)).values()) expect(JSON.parse(answer.body)).toEqual({ name: 'Ada' })
  expect((await ask('/logout', cookie, {})).status).toBe(200)
  for (const answer of (await askAll('/me', cookie)).values()) expect(answer.status).toBe(401)
})

test('a message reaches people of the room on all workers, under the name of the session, and nobody in another room', async () => {
  const cookie = await logIn('Grace')
  const people = new Map<string, Person>()
  const all: Person[] = []
  await until('somebody sits on each worker', async () => {
    const person = await enter('everywhere', cookie)
    all.push(person)
    people.set(person.worker, person)
    return people.size === workerCount
  })
  const stranger = await enter('elsewhere', cookie)
  const heardElsewhere: unknown[] = []
  stranger.socket.on('message', (message) => heardElsewhere.push(message))
  for (const speaker of people.values()) {
    const heard = Promise.all(all.map(({ socket }) => once(socket as never, 'message').then(([message]) => message as unknown)))
    expect(await speaker.socket.emitWithAck('say', 'hello')).toEqual({ worker: speaker.worker, saved: true })
    for (const message of await heard) expect(message).toEqual({ author: 'Grace', body: 'hello', worker: speaker.worker })
  }
  expect(heardElsewhere).toEqual([])
  for (const { socket } of [...all, stranger]) socket.disconnect()
})

test('sessions and chat outlive workers that come and go', async () => {
  const people = startSessionLoad({ url, clients: 4, everyMs: 50 })
  const chat = startSocketLoad({ url, clients: 12, everyMs: 500, rooms: 2 })
  await chat.connected(15_000)
  await until('people are logged in', () => people.stats().loggedIn === 4)
  await control.reload()
  const before = people.stats().ok
  await until('people go on', () => people.stats().ok > before + 20)
  await chat.connected(15_000)
  const [sessions, messages] = await Promise.all([people.stop(), chat.stop()])
  expect(sessions.failures).toEqual({})
  expect(sessions).toMatchObject({ failed: 0, lostSessions: 0, loggedIn: 4 })
  expect(messages).toMatchObject({ lostAcks: 0, connected: 12 })
  expect(messages.reconnects).toBeGreaterThan(0)
  expect(messages.received).toBeGreaterThan(messages.ok)
})

type Person = { readonly socket: Socket; readonly worker: string }

async function enter(room: string, cookie: string): Promise<Person> {
  const socket = io(url, { transports: ['websocket'], forceNew: true, extraHeaders: { cookie } })
  const joined: { worker: string } = await socket.timeout(10_000).emitWithAck('join', room)
  return { socket, worker: joined.worker }
}
