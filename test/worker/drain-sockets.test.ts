import { once } from 'node:events'
import http from 'node:http'
import type net from 'node:net'
import { io } from 'socket.io-client'
import type { Socket } from 'socket.io-client'
import { afterEach, describe, expect } from 'vitest'
import WebSocket from 'ws'
import { drained, it, NOTHING_CUT, RawClient, start } from './harness.ts'

const openSockets = new Set<{ terminate(): void } | { disconnect(): unknown }>()

afterEach(() => {
  for (const socket of openSockets) {
    if ('terminate' in socket) socket.terminate()
    else socket.disconnect()
  }
  openSockets.clear()
})

interface Farewell {
  readonly code: number
  readonly atMs: number
}

async function connect(port: number): Promise<{ readonly socket: WebSocket; readonly farewell: Promise<Farewell> }> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`)
  openSockets.add(socket)
  const farewell = once(socket, 'close').then(([code]) => ({ code: code as number, atMs: performance.now() }))
  await once(socket, 'open')
  return { socket, farewell }
}

async function tunnel(port: number): Promise<net.Socket> {
  const request = http.request({ host: '127.0.0.1', port, method: 'CONNECT', path: 'somewhere:1' }).end()
  const [, socket] = (await once(request, 'connect')) as [http.IncomingMessage, net.Socket]
  return socket.setEncoding('latin1')
}

describe('WebSockets', () => {
  it('are told to leave with 1001, one after the other, and the app sees them go', async ({ primary }) => {
    const worker = await start(primary, 'sockets.mjs')
    const clients = await Promise.all(Array.from({ length: 100 }, () => connect(primary.port)))
    await worker.seen('report', ({ report }) => report.sockets === 100)
    worker.send({ kind: 'drain', timeoutMs: 20_000, patient: false })
    const farewells = await Promise.all(clients.map(({ farewell }) => farewell))
    expect(new Set(farewells.map(({ code }) => code))).toEqual(new Set([1001]))
    const reports = worker.all('report').filter(({ report }) => report.sockets > 0 && report.sockets < 100)
    expect(reports.length).toBeGreaterThan(1) // some were gone while others were still there
    expect(await drained(worker)).toEqual(NOTHING_CUT)
    expect(worker.foreign).toEqual(Array.from({ length: 100 }, () => ({ closedWith: 1001 })))
  })

  it('are still answered before they are told', async ({ primary }) => {
    const worker = await start(primary, 'sockets.mjs')
    const { socket, farewell } = await connect(primary.port)
    const answers: string[] = []
    socket.on('message', (data: Buffer) => answers.push(data.toString()))
    for (let i = 0; i < 50; i++) socket.send(String(i))
    await once(socket, 'message')
    worker.send({ kind: 'drain', timeoutMs: 10_000, patient: false })
    expect((await farewell).code).toBe(1001)
    expect(answers).toEqual(Array.from({ length: 50 }, (_, i) => `${worker.pid} heard ${i}`))
    expect(await drained(worker)).toEqual(NOTHING_CUT)
  })

  it('that do not answer a goodbye are cut, and do not hold the drain up to its deadline', async ({ primary }) => {
    const worker = await start(primary, 'sockets.mjs')
    const client = new RawClient(primary.port)
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13'
    client.say(`GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n\r\n`)
    await client.hears('\r\n\r\n')
    await worker.seen('report', ({ report }) => report.sockets === 1)
    worker.send({ kind: 'drain', timeoutMs: 600_000, patient: false }) // longer than the test may take
    await client.hears('\x88\x02\x03\xe9')
    expect(await drained(worker)).toEqual({ cutConnections: 1, cutRequests: 0 })
  })
})

describe('Socket.IO clients', () => {
  it('go to another worker by themselves', async ({ primary }) => {
    const leaving = await start(primary, 'socket-io.mjs')
    await leaving.seen('attached')
    const clients = Array.from({ length: 20 }, () => io(`http://127.0.0.1:${primary.port}`, { transports: ['websocket'], forceNew: true }))
    for (const client of clients) openSockets.add(client)
    const first = await Promise.all(clients.map(servedBy))
    expect(new Set(first)).toEqual(new Set([leaving.pid]))
    const staying = await start(primary, 'socket-io.mjs')
    const next = clients.map(servedBy)
    const reasons = clients.map((client) => new Promise((resolve) => client.once('disconnect', resolve)))
    leaving.send({ kind: 'drain', timeoutMs: 20_000, patient: false })
    expect(new Set(await Promise.all(reasons))).toEqual(new Set(['transport close']))
    expect(new Set(await Promise.all(next))).toEqual(new Set([staying.pid]))
    expect(await drained(leaving)).toEqual(NOTHING_CUT)
    expect(await clients[0]?.emitWithAck('who')).toBe(staying.pid)
  })
})

async function servedBy(client: Socket): Promise<number> {
  return await new Promise((resolve) => client.once('served by', resolve))
}

describe('connections that are not HTTP', () => {
  it('go on until half the time, are ended then, and may still answer', async ({ primary }) => {
    const worker = await start(primary, 'raw-net.mjs')
    const [busy, idle] = [new RawClient(primary.port), new RawClient(primary.port)]
    busy.say('hello')
    await busy.hears('heard hello')
    await worker.seen('report', ({ report }) => report.connections === 2)
    worker.send({ kind: 'drain', timeoutMs: 3000, patient: false })
    const count = worker.all('report').length
    await worker.until(() => worker.all('report').length > count + 5, 'some time')
    busy.say('still there? quit')
    await busy.closed
    expect(busy.heard).toBe('heard hello' + 'heard still there? quit' + 'bye')
    await idle.closed
    expect(await drained(worker)).toEqual(NOTHING_CUT)
  })

  it('are cut at the deadline if they stay', async ({ primary }) => {
    const worker = await start(primary, 'raw-net.mjs')
    const client = new RawClient(primary.port, { allowHalfOpen: true })
    client.say('hello')
    await client.hears('heard hello')
    worker.send({ kind: 'drain', timeoutMs: 1000, patient: false })
    expect(await drained(worker)).toEqual({ cutConnections: 1, cutRequests: 0 })
    client.socket.destroy()
  })

  it('include CONNECT tunnels', async ({ primary }) => {
    const worker = await start(primary, 'sockets.mjs')
    const socket = await tunnel(primary.port)
    await worker.seen('report', ({ report }) => report.sockets === 1)
    worker.send({ kind: 'drain', timeoutMs: 3000, patient: false })
    const closed = once(socket, 'close')
    socket.write('through')
    expect(await once(socket, 'data')).toEqual(['through'])
    await closed // although the app writes after we have ended it
    expect(await drained(worker)).toEqual(NOTHING_CUT)
  })
})
