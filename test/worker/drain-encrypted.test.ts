import { once } from 'node:events'
import http2 from 'node:http2'
import https from 'node:https'
import type { TLSSocket } from 'node:tls'
import tls from 'node:tls'
import { describe, expect } from 'vitest'
import WebSocket from 'ws'
import { cert } from './fixtures/certificate.ts'
import type { Answer } from './harness.ts'
import { drained, it, NOTHING_CUT, REQUEST, start } from './harness.ts'
import type { MiniWorker } from './mini-primary.ts'

async function get(port: number, path: string, agent: https.Agent | false): Promise<Answer> {
  const request = https.get({ host: '127.0.0.1', port, path, agent, ca: cert })
  const [response] = await once(request, 'response')
  const chunks: Buffer[] = await response.toArray()
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() }
}

async function secure(port: number): Promise<TLSSocket> {
  const socket = tls.connect({ host: '127.0.0.1', port, ca: cert }).setEncoding('latin1')
  await once(socket, 'secureConnect')
  return socket
}

describe('a drain of an https server', () => {
  it('answers what is in flight and closes idle connections', async ({ primary }) => {
    const worker = await start(primary, 'encrypted.mjs', { KIND: 'https' })
    const [silent, idle] = [await secure(primary.port), await secure(primary.port)]
    idle.write(REQUEST)
    await once(idle, 'data')
    const agent = new https.Agent({ keepAlive: true })
    const answer = get(primary.port, '/slow', agent)
    await worker.seen('report', ({ report }) => report.queue === 1 && report.connections === 3)
    const closed = [silent, idle].map((socket) => once(socket, 'close'))
    worker.send({ kind: 'drain', timeoutMs: 10_000, patient: false })
    await Promise.all(closed)
    worker.worker.send('go')
    expect(await answer).toMatchObject({ status: 200, body: String(worker.pid), headers: { connection: 'close' } })
    expect(await drained(worker)).toEqual(NOTHING_CUT)
    agent.destroy()
  })

  it('tells WebSockets to leave with 1001', async ({ primary }) => {
    const worker = await start(primary, 'encrypted.mjs', { KIND: 'https' })
    const socket = new WebSocket(`wss://127.0.0.1:${primary.port}`, { ca: cert })
    const closed = once(socket, 'close')
    await worker.seen('report', ({ report }) => report.sockets === 1)
    worker.send({ kind: 'drain', timeoutMs: 10_000, patient: false })
    expect((await closed)[0]).toBe(1001)
    expect(await drained(worker)).toEqual(NOTHING_CUT)
  })
})

describe.for(['h2', 'h2c'] as const)('a drain of HTTP/2 (%s)', (kind) => {
  const connect = (port: number): http2.ClientHttp2Session =>
    kind === 'h2' ? http2.connect(`https://127.0.0.1:${port}`, { ca: cert }) : http2.connect(`http://127.0.0.1:${port}`)

  it('says GOAWAY, answers what is in flight, and lets go', async ({ primary }) => {
    const worker = await start(primary, 'encrypted.mjs', { KIND: kind })
    const session = connect(primary.port)
    expect(await ask(session, '/')).toBe(String(worker.pid))
    await worker.seen('report', ({ report }) => report.requests === 1)
    await worker.seen('report', ({ report }) => report.latencies.length === 2)
    const answers = [ask(session, '/slow'), ask(session, '/slow')]
    await worker.seen('report', ({ report }) => report.queue === 2 && report.connections === 1)
    worker.send({ kind: 'drain', timeoutMs: 10_000, patient: false })
    await once(session, 'goaway')
    worker.worker.send('go')
    expect(await Promise.all(answers)).toEqual([String(worker.pid), String(worker.pid)])
    expect(await drained(worker)).toEqual(NOTHING_CUT)
  })

  it('ends event streams, also while the app writes to them, and lets the other requests be answered', async ({ primary }) => {
    const worker = await start(primary, 'encrypted.mjs', { KIND: kind })
    const session = connect(primary.port)
    const streams = Array.from({ length: 20 }, () => session.request({ ':path': '/events' }))
    const ends = streams.map(async (stream) => {
      await once(stream, 'data')
      await once(stream.resume(), 'end')
      return stream.rstCode
    })
    const answer = ask(session, '/slow')
    await queueOf(worker, 21)
    worker.send({ kind: 'drain', timeoutMs: 60_000, patient: false })
    expect(await Promise.all(ends)).toEqual(streams.map(() => http2.constants.NGHTTP2_NO_ERROR))
    worker.worker.send('go')
    expect(await answer).toBe(String(worker.pid))
    expect(await drained(worker)).toEqual(NOTHING_CUT)
    expect(worker.stderr).toBe('')
  })

  it('closes idle sessions, and cuts and counts what is never answered', async ({ primary }) => {
    const worker = await start(primary, 'encrypted.mjs', { KIND: kind })
    const [idle, busy] = [connect(primary.port), connect(primary.port)]
    expect(await ask(idle, '/')).toBe(String(worker.pid))
    const answer = ask(busy, '/slow').catch((error: Error) => error)
    await queueOf(worker, 1)
    worker.send({ kind: 'drain', timeoutMs: 2000, patient: false })
    await once(idle, 'close')
    expect(await answer).toBeInstanceOf(Error)
    expect(await drained(worker)).toEqual({ cutConnections: 1, cutRequests: 1 })
  })
})

async function ask(session: http2.ClientHttp2Session, path: string): Promise<string> {
  const stream = session.request({ ':path': path }).setEncoding('utf8')
  const text = (await stream.toArray()).join('')
  if (text === '') throw new Error('no answer')
  return text
}

async function queueOf(worker: MiniWorker, queue: number): Promise<void> {
  await worker.seen('report', ({ report }) => report.queue === queue)
}
