import { once } from 'node:events'
import http from 'node:http'
import { describe, expect } from 'vitest'
import { merge, percentileMs, total } from '../../packages/supervisor/src/policy/latency.ts'
import type { Report } from '../../packages/supervisor/src/policy/sample.ts'
import { get, it, RawClient, REQUEST, start } from './harness.ts'
import type { MiniWorker } from './mini-primary.ts'

const reports = (worker: MiniWorker): Report[] => worker.all('report').map(({ report }) => report)
const requests = (worker: MiniWorker): number => reports(worker).reduce((sum, report) => sum + report.requests, 0)
const latencies = (worker: MiniWorker): number[] => merge(reports(worker).map((report) => report.latencies))

async function latest(worker: MiniWorker): Promise<Report> {
  const count = reports(worker).length
  return await worker.until(() => reports(worker)[count], 'the next report')
}

/** The next report that was begun after this call. */
async function settled(worker: MiniWorker): Promise<Report> {
  await latest(worker)
  return await latest(worker)
}

describe('a report', () => {
  it('counts requests, their times and connections on kept-alive connections', async ({ primary }) => {
    const worker = await start(primary, 'busy.mjs')
    const agent = new http.Agent({ keepAlive: true, maxSockets: 3 })
    await Promise.all(Array.from({ length: 30 }, () => get(primary.port, '/wait?ms=30', { agent })))
    const report = await settled(worker)
    expect(report).toMatchObject({ queue: 0, connections: 3, sockets: 0, database: null })
    expect(requests(worker)).toBe(30)
    expect(total(latencies(worker))).toBe(30)
    expect(percentileMs(latencies(worker), 0)).toBeGreaterThanOrEqual(29) // timers may be a millisecond early
    agent.destroy()
    await worker.until(() => reports(worker).at(-1)?.connections === 0, 'no connection')
  })

  it('counts what is pipelined, and each response from the arrival of its own request', async ({ primary }) => {
    const worker = await start(primary, 'busy.mjs')
    const client = new RawClient(primary.port)
    client.say('GET /wait?ms=200 HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(5))
    await worker.seen('report', ({ report }) => report.queue === 5 && report.connections === 1)
    await worker.until(() => client.heard.split('waited').length > 5 && reports(worker).at(-1)?.queue === 0, 'five answers')
    await settled(worker)
    expect(requests(worker)).toBe(5)
    expect(total(latencies(worker))).toBe(5)
    expect(percentileMs(latencies(worker), 0)).toBeGreaterThanOrEqual(198)
    client.socket.destroy()
  })

  it('forgets requests whose clients hang up', async ({ primary }) => {
    const worker = await start(primary, 'many-ways.mjs')
    const clients = Array.from({ length: 4 }, () => new RawClient(primary.port))
    for (const client of clients) client.say('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n')
    await worker.seen('report', ({ report }) => report.queue === 4)
    for (const client of clients) client.socket.destroy()
    await worker.until(() => reports(worker).at(-1)?.queue === 0, 'an empty queue')
    expect(await settled(worker)).toMatchObject({ queue: 0, connections: 0 })
    expect(total(latencies(worker))).toBe(0)
  })

  it('counts neither event streams nor polls that wait for news as slow requests', async ({ primary }) => {
    const worker = await start(primary, 'many-ways.mjs')
    const stream = new RawClient(primary.port)
    stream.say('GET /events HTTP/1.1\r\nHost: x\r\n\r\n')
    await stream.hears('data: 2')
    expect(await settled(worker)).toMatchObject({ queue: 0, connections: 1, sockets: 0 })
    stream.socket.destroy()
    await worker.until(() => reports(worker).at(-1)?.connections === 0, 'no connection')
    expect(total(latencies(worker))).toBe(0)
    expect(requests(worker)).toBe(1)
  })

  it('counts upgraded connections while they live', async ({ primary }) => {
    const worker = await start(primary, 'sockets.mjs')
    const { default: WebSocket } = await import('ws')
    const socket = new WebSocket(`ws://127.0.0.1:${primary.port}`)
    await once(socket, 'open')
    await get(primary.port)
    await worker.seen('report', ({ report }) => report.sockets === 1 && report.connections === 1)
    socket.close()
    await once(socket, 'close')
    await worker.until(() => reports(worker).at(-1)?.connections === 0, 'no connection')
    expect(reports(worker).at(-1)).toMatchObject({ sockets: 0, queue: 0 })
  })

  it('counts the same over TLS', async ({ primary }) => {
    const worker = await start(primary, 'encrypted.mjs', { KIND: 'https' })
    const { request } = await import('node:https')
    const slow = request({ host: '127.0.0.1', port: primary.port, path: '/slow', agent: false, rejectUnauthorized: false }).end()
    const response = once(slow, 'response') as Promise<[http.IncomingMessage]>
    await worker.seen('report', ({ report }) => report.queue === 1 && report.connections === 1)
    worker.worker.send('go')
    const [answer] = await response
    answer.resume()
    await worker.until(() => reports(worker).at(-1)?.connections === 0, 'no connection')
    expect(requests(worker)).toBe(1)
    expect(total(latencies(worker))).toBe(1)
  })

  it('tells how busy and how late the event loop was', async ({ primary }) => {
    const worker = await start(primary, 'busy.mjs')
    await get(primary.port, '/burn?ms=300')
    const busy = await worker.seen('report', ({ report }) => report.eventLoopDelayP99Ms > 200)
    expect(busy.report.eventLoopUtilization).toBeGreaterThan(0.5)
    expect(busy.report.intervalMs).toBeGreaterThan(200)
    await worker.until(() => (reports(worker).at(-1)?.eventLoopUtilization ?? 1) < 0.5, 'calm again')
  })

  it('tells how long requests waited before they got here, by proxies that are trusted, and by nobody else', async ({ primary }) => {
    const ask = async (trusted: string, headers: http.OutgoingHttpHeaders): Promise<number[]> => {
      const worker = await start(primary, 'busy.mjs', { STATIONMASTER_TRUSTED_PROXIES: trusted })
      await get(primary.port, '/', { headers })
      await worker.until(() => requests(worker) === 1, 'the request')
      await worker.kill()
      return merge(reports(worker).map((report) => report.queueTimes))
    }
    const started = String(Date.now() - 5000)
    const told = await ask('127.0.0.0/8,::1/128', { 'X-Request-Start': `t=${started}` })
    expect(total(told)).toBe(1)
    expect(percentileMs(told, 0)).toBeGreaterThanOrEqual(5000)
    expect(await ask('10.0.0.0/8,fc00::/7', { 'X-Request-Start': started })).toEqual([])
    expect(await ask('', { 'X-Request-Start': started })).toEqual([])
    expect(await ask('127.0.0.1/32', { 'X-Request-Start': 'soon' })).toEqual([])
    expect(await ask('127.0.0.1/32', {})).toEqual([])
  })

  it('does not keep an app alive that has nothing left to do', async ({ primary }) => {
    const worker = await start(primary, 'closes-soon.mjs')
    expect(await worker.exited).toEqual({ code: 0, signal: null })
  })
})

describe('shed', () => {
  it('lets so many keep-alive connections go with their next response, the busiest first', async ({ primary }) => {
    const worker = await start(primary, 'busy.mjs')
    const clients = Array.from({ length: 3 }, () => new RawClient(primary.port))
    for (const [index, client] of clients.entries()) {
      for (let i = 0; i <= index; i++) {
        client.heard = ''
        client.say(REQUEST)
        await client.hears('ok')
      }
    }
    worker.send({ kind: 'shed', connections: 2, lastingMs: null })
    await settled(worker)
    for (const client of clients) {
      client.heard = ''
      client.say(REQUEST)
      await client.hears('ok')
    }
    expect(clients.map((client) => client.heard.includes('Connection: close'))).toEqual([false, true, true])
    for (const client of clients) client.socket.destroy()
  })
  it('lets WebSocket clients go that have been here for so long, and nobody who came later', async ({ primary }) => {
    const worker = await start(primary, 'sockets.mjs')
    const { default: WebSocket } = await import('ws')
    const sockets = Array.from({ length: 3 }, () => new WebSocket(`ws://127.0.0.1:${primary.port}`))
    const codes: number[] = []
    for (const socket of sockets) socket.on('close', (code) => codes.push(code))
    await Promise.all(sockets.map((socket) => once(socket, 'open')))
    worker.send({ kind: 'shed', connections: 3, lastingMs: 600_000 })
    await settled(worker)
    expect([(await settled(worker)).sockets, codes]).toEqual([3, []])
    worker.send({ kind: 'shed', connections: 2, lastingMs: 0 })
    await worker.until(() => reports(worker).at(-1)?.sockets === 1, 'one that stays')
    expect(codes.length).toBeLessThanOrEqual(2)
    for (const socket of sockets) socket.terminate()
  })
})
