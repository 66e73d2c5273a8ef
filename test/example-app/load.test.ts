import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { startHttpLoad, startSessionLoad, startSocketLoad } from 'example-app/load'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Histogram } from '../../packages/example-app/src/load/histogram.ts'
import { startPace } from '../../packages/example-app/src/load/pace.ts'
import { until } from './processes.ts'

describe('the histogram', () => {
  test('has no quantiles without values', () => {
    expect(new Histogram().quantileMs(0.5)).toBeNull()
  })

  test('knows every quantile to within 4 %, from 0.1 ms to two minutes', () => {
    const histogram = new Histogram()
    const values = Array.from({ length: 20_000 }, (_, index) => 0.1 * 1.000_703 ** index).filter((value) => value < 120_000)
    for (const value of values) histogram.record(value)
    for (const share of [0.01, 0.5, 0.9, 0.95, 0.99, 1]) {
      const exact = values[Math.ceil(share * values.length) - 1] ?? 0
      expect(Math.abs((histogram.quantileMs(share) ?? 0) / exact - 1)).toBeLessThan(0.04)
    }
  })

  test('takes any value', () => {
    const histogram = new Histogram()
    for (const value of [0, -1, 1e12]) histogram.record(value)
    expect(histogram.count).toBe(3)
  })
})

describe('the pace', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }))
  afterEach(() => void vi.useRealTimers())

  test('is even, and can be changed', () => {
    const dues: number[] = []
    const pace = startPace(100, (dueAt) => dues.push(dueAt))
    vi.advanceTimersByTime(500)
    expect(dues.length).toBeGreaterThanOrEqual(50)
    expect(dues.length).toBeLessThanOrEqual(51)
    for (const [index, dueAt] of dues.slice(1).entries()) expect(dueAt - (dues[index] ?? 0)).toBeCloseTo(10)
    pace.setRate(0)
    vi.advanceTimersByTime(500)
    expect(dues.length).toBeLessThanOrEqual(51)
    pace.setRate(1_000)
    vi.advanceTimersByTime(500)
    expect(dues.length).toBeGreaterThanOrEqual(550)
    pace.stop()
    const { length } = dues
    vi.advanceTimersByTime(500)
    expect(dues).toHaveLength(length)
  })
})

describe('HTTP load', () => {
  let server: Server
  let url = ''
  /** Answers wait for it. */
  let gate = Promise.resolve()
  let served = 0
  let connections = 0
  let open = 0
  let mostOpen = 0

  beforeEach(async () => {
    ;[served, connections, open, mostOpen] = [0, 0, 0, 0]
    gate = Promise.resolve()
    server = createServer(async (request, response) => {
      served++
      mostOpen = Math.max(mostOpen, ++open)
      await gate
      open--
      response.statusCode = request.url === '/bad' ? 500 : 200
      response.setHeader('X-Worker', String(served % 2)).end('ok')
    }).listen(0, '127.0.0.1')
    server.on('connection', () => connections++)
    await once(server, 'listening')
    const address = server.address()
    url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  })

  afterEach(() => {
    server.close()
    server.closeAllConnections()
  })

  test('closed: as many requests at once as there are connections, each counted once', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    gate = promise
    const load = startHttpLoad({ url, connections: 7, ratePerSecond: null })
    await until('all connections are used', () => open === 7)
    resolve()
    await until('it goes on', () => served > 100)
    const stats = await load.stop()
    expect(mostOpen).toBe(7)
    expect(connections).toBe(7)
    expect(stats).toMatchObject({ sent: served, ok: served, failed: 0, inFlight: 0 })
    expect((stats.workers['0'] ?? 0) + (stats.workers['1'] ?? 0)).toBe(served)
  })

  test('open: starts and stops with its rate; laps and windows count what happened in them', async () => {
    const load = startHttpLoad({ url, connections: 20, ratePerSecond: 0 })
    load.setRate(500)
    await until('requests are sent', () => load.stats().sent >= 20)
    const slow = load.lap()
    const endWindow = load.window()
    await until('more requests are sent', () => load.stats().sent >= slow.sent + 20)
    const [fast, window] = [load.lap(), endWindow()]
    const total = await load.stop()
    expect(window.sent).toBe(fast.sent)
    expect(fast.sent).toBeGreaterThanOrEqual(20)
    expect(total.sent).toBeGreaterThanOrEqual(slow.sent + fast.sent)
  })

  test('open: a server that is too slow shows in the latency, not in fewer requests', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    gate = promise
    const load = startHttpLoad({ url, connections: 1, ratePerSecond: 200 })
    await until('the second request is due', () => load.stats().sent >= 2)
    const secondDueBefore = performance.now()
    await until('a line of requests waits', () => load.stats().sent >= 30)
    expect(served).toBe(1)
    const heldMs = performance.now() - secondDueBefore
    resolve()
    await until('the second request is answered', () => load.stats().ok >= 2)
    const stats = await load.stop()
    expect(stats.latency.maxMs).toBeGreaterThan(heldMs)
    expect(stats.inFlight).toBe(0)
  })

  test('open: what was due and never sent counts as failed', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    gate = promise
    const load = startHttpLoad({ url, connections: 1, ratePerSecond: 200 })
    await until('a line of requests waits', () => load.stats().sent >= 10)
    const stopped = load.stop()
    resolve()
    const stats = await stopped
    expect(stats).toMatchObject({ ok: 1, failed: stats.sent - 1, inFlight: 0, failures: { 'never sent': stats.sent - 1 } })
  })

  test('failures are counted by their kind', async () => {
    const bad = startHttpLoad({ url, connections: 2, ratePerSecond: null, path: '/bad' })
    await until('the server says 500', () => (bad.stats().failures['500'] ?? 0) > 0)
    await bad.stop()
    gate = new Promise(() => {})
    const slow = startHttpLoad({ url, connections: 2, ratePerSecond: null, timeoutMs: 50 })
    await until('a request has timed out', () => (slow.stats().failures['timeout'] ?? 0) > 0)
    await slow.stop()
    server.close()
    server.closeAllConnections()
    const refused = startHttpLoad({ url, connections: 2, ratePerSecond: null })
    await until('a request was refused', () => refused.stats().failed >= 4)
    const stats = await refused.stop()
    expect(stats.failures).toEqual({ ECONNREFUSED: stats.sent })
  })

  test('clients come and go', async () => {
    const load = startHttpLoad({ url, connections: 2, ratePerSecond: null, requestsPerConnection: 5 })
    await until('many clients have been here', () => connections >= 100)
    const { ok, failed } = await load.stop()
    expect(failed).toBe(0)
    expect(ok / connections).toBeGreaterThan(2)
    expect(ok / connections).toBeLessThan(10)
  })

  test('ends by itself', async () => {
    const load = startHttpLoad({ url, connections: 1, ratePerSecond: null, seconds: 0.1 })
    await until('it has begun', () => served > 0)
    await until('its connection is closed', async () => (await openConnections(server)) === 0)
    expect(load.stats()).toMatchObject({ sent: served, inFlight: 0 })
  })
})

function openConnections(server: Server): Promise<number> {
  return new Promise((resolve, reject) => server.getConnections((error, count) => (error ? reject(error) : resolve(count))))
}

test('load never leaves this machine', () => {
  for (const url of ['http://example.com', 'http://10.0.0.1:80', 'http://127.0.0.1.example.com', 'http://[::2]/']) {
    expect(() => startHttpLoad({ url, connections: 1, ratePerSecond: 1 })).toThrow(/loopback/)
    expect(() => startSessionLoad({ url, clients: 1, everyMs: 1 })).toThrow(/loopback/)
    expect(() => startSocketLoad({ url, clients: 1, everyMs: 1 })).toThrow(/loopback/)
  }
  expect(() => startHttpLoad({ url: 'http://127.0.0.1', connections: 1e9, ratePerSecond: 1 })).toThrow(/connections must be/)
})
