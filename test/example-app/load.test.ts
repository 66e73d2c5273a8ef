import { createServer, type Server } from 'node:http'
import { startHttpLoad, startSessionLoad, startSocketLoad } from 'example-app/load'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Histogram } from '../../packages/example-app/src/load/histogram.ts'

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

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

describe('HTTP load', () => {
  let server: Server
  let url = ''
  let delayMs = 0
  let served = 0
  let open = 0
  let mostOpen = 0

  beforeEach(async () => {
    ;[delayMs, served, open, mostOpen] = [0, 0, 0, 0]
    server = createServer(async (request, response) => {
      served++
      mostOpen = Math.max(mostOpen, ++open)
      await sleep(delayMs)
      open--
      response.statusCode = request.url === '/bad' ? 500 : 200
      response.setHeader('X-Worker', String(served % 2)).end('ok')
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  })

  afterEach(() => void server.close())

  test('closed: as many requests at once as there are connections, each counted once', async () => {
    delayMs = 5
    const load = startHttpLoad({ url, connections: 7, ratePerSecond: null })
    await sleep(300)
    const stats = await load.stop()
    expect(mostOpen).toBe(7)
    expect(stats).toMatchObject({ sent: served, ok: served, failed: 0, inFlight: 0 })
    expect((stats.workers['0'] ?? 0) + (stats.workers['1'] ?? 0)).toBe(served)
  })

  test('open: keeps its rate, and changes it', async () => {
    const load = startHttpLoad({ url, connections: 20, ratePerSecond: 200 })
    await sleep(500)
    const slow = load.lap()
    load.setRate(800)
    const endWindow = load.window()
    await sleep(500)
    const fast = load.lap()
    const window = endWindow()
    const total = await load.stop()
    expect(window.sent).toBe(fast.sent)
    expect(total.sent).toBeGreaterThanOrEqual(slow.sent + fast.sent)
    expect(slow.sent).toBeGreaterThan(60)
    expect(slow.sent).toBeLessThan(140)
    expect(fast.sent / slow.sent).toBeGreaterThan(2)
  })

  test('open: a server that is too slow shows in the latency, not in fewer requests', async () => {
    delayMs = 50
    const load = startHttpLoad({ url, connections: 1, ratePerSecond: 100 })
    await sleep(500)
    const stats = await load.stop()
    expect(stats.sent).toBeGreaterThan(30)
    expect(stats.latency.maxMs).toBeGreaterThan(200)
    expect(stats.failures['never sent']).toBeGreaterThan(0)
    expect(stats.inFlight).toBe(0)
  })

  test('failures are counted by their kind', async () => {
    const bad = startHttpLoad({ url, connections: 2, ratePerSecond: null, path: '/bad' })
    await sleep(100)
    expect((await bad.stop()).failures['500']).toBeGreaterThan(0)
    delayMs = 500
    const slow = startHttpLoad({ url, connections: 2, ratePerSecond: null, timeoutMs: 50 })
    await sleep(200)
    expect((await slow.stop()).failures['timeout']).toBeGreaterThan(0)
    server.close()
    server.closeAllConnections()
    const refused = startHttpLoad({ url, connections: 2, ratePerSecond: null })
    await sleep(100)
    const stats = await refused.stop()
    expect(stats.failures['ECONNREFUSED']).toBe(stats.sent)
    expect(stats.sent).toBeLessThan(30)
  })

  test('clients come and go', async () => {
    let connections = 0
    server.on('connection', () => connections++)
    const load = startHttpLoad({ url, connections: 2, ratePerSecond: 500, requestsPerConnection: 5 })
    await sleep(400)
    const { ok, failed } = await load.stop()
    expect(failed).toBe(0)
    expect(ok / connections).toBeGreaterThan(3)
    expect(ok / connections).toBeLessThan(8)
  })

  test('ends by itself', async () => {
    const load = startHttpLoad({ url, connections: 1, ratePerSecond: null, seconds: 0.1 })
    await sleep(300)
    const { sent } = load.stats()
    await sleep(100)
    expect(load.stats().sent).toBe(sent)
  })
})

test('load never leaves this machine', () => {
  for (const url of ['http://example.com', 'http://10.0.0.1:80', 'http://127.0.0.1.example.com', 'http://[::2]/']) {
    expect(() => startHttpLoad({ url, connections: 1, ratePerSecond: 1 })).toThrow(/loopback/)
    expect(() => startSessionLoad({ url, clients: 1, everyMs: 1 })).toThrow(/loopback/)
    expect(() => startSocketLoad({ url, clients: 1, everyMs: 1 })).toThrow(/loopback/)
  }
  expect(() => startHttpLoad({ url: 'http://127.0.0.1', connections: 1e9, ratePerSecond: 1 })).toThrow(/connections must be/)
})
