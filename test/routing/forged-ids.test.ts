import http from 'node:http'
import { randomBytes } from 'node:crypto'
import { describe, expect } from 'vitest'
import { it } from '../processes/harness.ts'
import { until, within } from '../processes/harness/until.ts'
import { RawClient } from '../worker/harness.ts'
import { ask } from './harness/ask.ts'
import { handshake } from './harness/frames.ts'
import { startPolling } from './harness/pollers.ts'

const WORKERS = 4
const CLIENTS = 16
const REQUESTS_EACH = 100
const OPENING = '/socket.io/?EIO=4&transport=polling'
const UNKNOWN = '{"code":1,"message":"Session ID unknown"}'

const sessionIn = (heard: string): { readonly sid: string } => JSON.parse(/\{.*\}/.exec(heard)?.[0] ?? '{}') as { sid: string }

/** Ids that would all aim at worker 1, if an owner's name alone were believed. */
const forged: readonly ((real: string) => string)[] = [
  () => `1-${randomBytes(23).toString('base64url')}`,
  (real) => `1${real.slice(real.indexOf('-'))}`.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
  (real) => real.slice(0, -1),
  (real) => `${real}A`,
  (real) => `1-${real}`,
  () => '1-',
  () => '1',
  () => '__proto__',
  () => '../1.sock',
  () => `1-${'a'.repeat(8000)}`,
  () => '1-\u{1f600}',
]

/** Places where an id is not what the client asks for, though it stands there. */
const elsewhere: readonly (readonly [query: string, headers: string])[] = [
  ['', 'Referer: http://x/socket.io/?EIO=4&sid=REAL\r\n'],
  ['', 'Cookie: sid=REAL; io=REAL\r\n'],
  ['&ssid=REAL', ''],
  ['&x=sid=REAL', ''],
  ['#&sid=REAL', ''],
  // The last one counts for engine.io.
  ['&sid=REAL&sid=', ''],
]

describe('a session id that stands elsewhere', () => {
  it('is nobody’s: a new session begins, with whoever accepted the connection', async ({ stage }) => {
    const { station, lines } = await startPolling(stage, WORKERS, WORKERS)
    const opened = await ask({ port: station.port, path: OPENING })
    const { sid: real } = sessionIn(opened.body.toString())
    const clients: RawClient[] = []
    for (let i = 0; i < CLIENTS; i++) {
      const [query, headers] = (elsewhere[i % elsewhere.length] as readonly string[]).map((text) => text.replaceAll('REAL', real)) as [string, string]
      const client = new RawClient(station.port)
      client.say(`GET /socket.io/?EIO=4&transport=polling${query} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`)
      await within(`an answer to ${query}${headers}`, client.hears('"sid"'))
      clients.push(client)
    }
    const accepted = (await lines()).filter((line) => line.includes(' connection '))
    for (const { heard, socket } of clients) {
      expect(heard).toMatch(/^HTTP\/1.1 200 /)
      const [owner] = sessionIn(heard).sid.split('-')
      expect(accepted).toContain(`${owner} connection ${socket.localPort}`)
      socket.destroy()
    }
    expect(new Set(clients.map(({ heard }) => sessionIn(heard).sid.split('-')[0])).size).toBeGreaterThan(1)
  })
})

describe('session ids that were made up', () => {
  it('aim at nobody: whoever accepted the connection answers, at once', async ({ stage }) => {
    const { station, lines } = await startPolling(stage, WORKERS, WORKERS)
    const { port } = station
    const opened = await ask({ port, path: OPENING })
    const { sid } = sessionIn(opened.body.toString())
    const clients = Array.from({ length: CLIENTS }, async (_, client) => {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
      for (let i = 0; i < REQUESTS_EACH; i++) {
        const id = (forged[(client + i) % forged.length] as (real: string) => string)(sid)
        const { status, body } = await ask({ port, path: `/socket.io/?EIO=4&transport=polling&sid=${encodeURIComponent(id)}`, agent })
        expect([id, status, body.toString()]).toEqual([id, 400, UNKNOWN])
      }
      agent.destroy()
    })
    await within('all answers', Promise.all(clients), { boundMs: 50_000 })
    // A worker's share of the answers is its share of the connections, to the last one: so is that of the one at which the ids aim.
    const acceptors = new Map<string, string>()
    const answers: { acceptor: string | undefined; worker: string }[] = []
    for (const line of await lines()) {
      const [worker = '', what, first = '', second = ''] = line.split(' ')
      if (what === 'connection') acceptors.set(first, worker)
      if (what === 'error') answers.push({ acceptor: acceptors.get(second), worker })
    }
    expect(answers).toHaveLength(CLIENTS * REQUESTS_EACH)
    expect(answers.filter(({ acceptor, worker }) => acceptor !== worker)).toEqual([])
    expect(new Set(answers.map(({ worker }) => worker)).size).toBeGreaterThan(1)
  })

  it('and those of a worker that is gone are unknown to every worker, at once: a poll, a message and an upgrade', async ({ stage }) => {
    const { station, lines } = await startPolling(stage, WORKERS, WORKERS)
    const { port } = station
    const opened = await ask({ port, path: OPENING })
    const { sid: dead } = sessionIn(opened.body.toString())
    const owner = Number.parseInt(dead, 36)
    process.kill((await station.running(WORKERS)).find(({ id }) => id === owner)?.pid as number, 'SIGKILL')
    await station.until('its replacement', ({ workers, fleet }) => fleet.ready === WORKERS && workers.every(({ id }) => id !== owner))
    const workers = (await station.running(WORKERS)).map(({ id }) => String(id))
    for (const id of [dead, ...forged.slice(0, 4).map((make) => make(dead))]) {
      const ways = [
        `GET ${OPENING}&sid=${id} HTTP/1.1\r\nHost: x\r\n\r\n`,
        `POST ${OPENING}&sid=${id} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n40`,
        handshake('a=b').replace('/ws', `/socket.io/?EIO=4&transport=websocket&sid=${id}`),
      ]
      for (const way of ways) {
        for (const [worker, client] of await connectToEach(workers, port)) {
          client.heard = ''
          client.say(way)
          await within(`an answer to ${way}`, client.hears('Session ID unknown'))
          expect([worker, way, client.heard.slice(0, 12)]).toEqual([worker, way, 'HTTP/1.1 400'])
          client.socket.destroy()
        }
      }
    }
    const answerers = new Map(workers.map((worker) => [worker, 0]))
    for (const line of await lines()) {
      const [worker = '', what, code] = line.split(' ')
      if (what === 'error') expect(code).toBe('1')
      if (what === 'error') answerers.set(worker, (answerers.get(worker) ?? 0) + 1)
    }
    // Five ids in three ways: whoever had the connection answered.
    expect([...answerers.values()]).toEqual(workers.map(() => 15))
  })
})

/** One connection to each of the workers. */
async function connectToEach(workers: readonly string[], port: number): Promise<Map<string, RawClient>> {
  const clients = new Map<string, RawClient>()
  const others: RawClient[] = []
  while (clients.size < workers.length) {
    const client = new RawClient(port)
    client.say('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    const worker = await until('who has the connection', () => /\r\n\r\n(\d+)$/.exec(client.heard)?.[1])
    // It stays until all are there, so that those that have some get fewer of the next. Who has many asks some to go.
    if (clients.has(worker) || /connection: close/i.test(client.heard)) others.push(client)
    else clients.set(worker, client)
  }
  for (const { socket } of others) socket.destroy()
  return clients
}
