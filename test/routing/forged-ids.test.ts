import http from 'node:http'
import { randomBytes } from 'node:crypto'
import { describe, expect } from 'vitest'
import { it } from '../processes/harness.ts'
import { within } from '../processes/harness/until.ts'
import { RawClient } from '../worker/harness.ts'
import { ask } from './harness/ask.ts'
import { startPolling } from './harness/pollers.ts'

const WORKERS = 4
const CLIENTS = 16
const REQUESTS_EACH = 100
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
    const opened = await ask({ port: station.port, path: '/socket.io/?EIO=4&transport=polling' })
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
    const opened = await ask({ port, path: '/socket.io/?EIO=4&transport=polling' })
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
    // A worker's share of the answers is its share of the connections, to the last one.
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
})
