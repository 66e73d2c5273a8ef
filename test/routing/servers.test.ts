import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import http2 from 'node:http2'
import https from 'node:https'
import net from 'node:net'
import { describe, expect } from 'vitest'
import { type ClientOptions, WebSocket } from 'ws'
import { it } from '../processes/harness.ts'
import { within } from '../processes/harness/until.ts'
import { cert } from '../worker/fixtures/certificate.ts'
import { startServers } from './harness/servers.ts'

const SIDS = Array.from({ length: 16 }, (_, index) => `client-${index}`)

interface Seen {
  readonly worker: string
  readonly hash: string
}

const WITH_BODY = { method: 'POST', host: 'app.test', some: 'thing', address: '127.0.0.1' }
const sha256 = (body: Buffer): string => createHash('sha256').update(body).digest('hex')

async function overHttps(port: number, sid: string, body: Buffer): Promise<Seen> {
  const headers = { cookie: `sid=${sid}`, host: 'app.test', 'x-some': 'thing', 'content-length': body.length }
  const request = https
    .request({ host: '127.0.0.1', port, path: '/x?y', method: 'POST', agent: false, ca: cert, servername: 'localhost', headers })
    .end(body)
  const [response] = await within('an answer', once(request, 'response'))
  expect(response.headers['set-cookie']).toEqual(['a=1', 'b=2'])
  return JSON.parse(Buffer.concat(await response.toArray()).toString()) as Seen
}

async function overHttp2(session: http2.ClientHttp2Session, sid: string, body: Buffer): Promise<Seen> {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/x?y',
    ':authority': 'app.test',
    cookie: [`sid=${sid}`, 'other=1'],
    'x-some': 'thing',
  })
  stream.end(body)
  const [headers] = await within('an answer', once(stream, 'response'))
  expect([headers[':status'], headers['set-cookie']]).toEqual([200, ['a=1', 'b=2']])
  return JSON.parse(Buffer.concat(await stream.toArray()).toString()) as Seen
}

async function withSession(url: string, use: (session: http2.ClientHttp2Session) => Promise<void>): Promise<void> {
  const session = http2.connect(url, { ca: cert, servername: 'localhost' })
  await within('the session', once(session, 'connect'))
  await use(session)
  session.close()
  await within('the end of the session', once(session, 'close'))
}

describe('a server that does more than HTTP/1', () => {
  it('https: brings a cookie to its worker, requests and WebSockets, and the app sees that they were encrypted', async ({ stage }) => {
    const { port } = await startServers(stage, 'https')
    const owners = new Set<string>()
    for (const sid of SIDS) {
      const body = randomBytes(100_000)
      const seen = await overHttps(port, sid, body)
      expect(seen).toMatchObject({ ...WITH_BODY, url: '/x?y', encrypted: true, hash: sha256(body) })
      owners.add(seen.worker)
      const socket = new WebSocket(`wss://127.0.0.1:${port}/`, {
        headers: { cookie: `sid=${sid}` },
        ca: cert,
        servername: 'localhost',
      } as ClientOptions)
      const [first] = (await within('its worker', once(socket, 'message'))) as [Buffer]
      socket.send(body)
      const [echo] = (await within('the echo', once(socket, 'message'))) as [Buffer]
      expect([first.toString(), echo.equals(body)]).toEqual([seen.worker, true])
      socket.close()
      await within('the goodbye', once(socket, 'close'))
    }
    expect(owners.size).toBeGreaterThan(1)
  })

  for (const [kind, scheme] of [
    ['h2', 'https'],
    ['h2c', 'http'],
  ] as const) {
    it(`${kind}: brings each of the requests that share one connection to its worker`, async ({ stage }) => {
      const { port } = await startServers(stage, kind)
      const owners = new Map<string, string>()
      for (const round of [1, 2]) {
        await withSession(`${scheme}://127.0.0.1:${port}`, async (session) => {
          const all = SIDS.map(async (sid) => {
            const body = randomBytes(50_000)
            const seen = await overHttp2(session, sid, body)
            expect(seen).toMatchObject({ ...WITH_BODY, url: '/x?y', encrypted: kind === 'h2', hash: sha256(body) })
            if (round === 2) expect([sid, seen.worker]).toEqual([sid, owners.get(sid)])
            owners.set(sid, seen.worker)
          })
          await Promise.all(all)
        })
      }
      expect(new Set(owners.values()).size).toBeGreaterThan(1)
    })
  }

  it('net: spreads connections evenly, and says that there is nothing by which to keep clients', async ({ stage }) => {
    const station = await startServers(stage, 'net')
    const counts = new Map<string, number>()
    const sockets: net.Socket[] = []
    for (let i = 0; i < 60; i++) {
      const socket = net.connect(station.port, '127.0.0.1')
      sockets.push(socket)
      const [worker] = (await within('its worker', once(socket, 'data'))) as [Buffer]
      counts.set(worker.toString(), (counts.get(worker.toString()) ?? 0) + 1)
    }
    for (const socket of sockets) socket.destroy()
    expect(counts.size).toBe(3)
    // 20 each would be even; nobody is more than 8 above the emptiest, but for what comes before all have heard of it.
    expect(Math.max(...counts.values())).toBeLessThanOrEqual(30)
    expect(station.stderr).toContain('routing.sticky')
  })
})
