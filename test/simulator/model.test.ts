import { expect, test } from 'vitest'
import { percentileMs, total } from '../../packages/supervisor/src/policy/latency.ts'
import { ResponseTimes } from '../../packages/supervisor/src/simulator/response-times.ts'
import { createLoad } from '../../packages/supervisor/src/simulator/scenario.ts'
import { levelOut, shareCores, stretchOf } from '../../packages/supervisor/src/simulator/share-cores.ts'
import { calmScenario, simulate } from './runs.ts'
import { fleetSettings } from '../fleet/driver.ts'

test('cores: who wants less than a fair share gets it, the others share the rest, and nothing is given twice', () => {
  expect(shareCores([100, 100], 400)).toEqual({ shares: [100, 100], limitMs: Number.POSITIVE_INFINITY })
  expect(shareCores([50, 400, 400], 450)).toEqual({ shares: [50, 200, 200], limitMs: 200 })
  const { shares } = shareCores(
    Array.from({ length: 10 }, () => 500),
    1000,
  )
  expect(shares.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1000)
})

test('a loop waits for a core more often the more of them others use, and less the more there are', () => {
  expect(stretchOf(0, 2)).toBe(1)
  expect(stretchOf(0.5, 2)).toBeGreaterThan(1.1)
  expect(stretchOf(0.8, 2)).toBeGreaterThan(stretchOf(0.5, 2))
  expect(stretchOf(0.8, 8)).toBeLessThan(stretchOf(0.8, 2))
  expect(stretchOf(1, 1)).toBeLessThan(2)
})

test('new requests go where the queue is shortest, and every one goes somewhere', () => {
  expect(levelOut([0, 0, 0], 7)).toEqual([3, 2, 2])
  expect(levelOut([10, 0, 0], 6)).toEqual([0, 3, 3])
  expect(levelOut([100, 4, 0], 10)).toEqual([0, 3, 7])
  for (let requests = 0; requests < 50; requests++) {
    expect(levelOut([3, 0, 17, 8], requests).reduce((sum, each) => sum + each, 0)).toBe(requests)
  }
})

test('response times: all requests are counted, and a busy loop has a longer tail than a calm one', () => {
  const [calm, busy] = [0.2, 0.9].map((utilization) => {
    const times = new ResponseTimes()
    times.addCourse({ baseMs: 24, serviceMs: 4, utilization }, 997)
    return times.take()
  }) as [number[], number[]]
  expect([total(calm), total(busy)]).toEqual([997, 997])
  expect(percentileMs(calm, 0.5)).toBeLessThan(26)
  // M/D/1 at 90 %: a mean wait of 18 ms, and a 95th percentile near three times that.
  expect(percentileMs(busy, 0.95)).toBeGreaterThan(24 + 36)
  expect(percentileMs(busy, 0.95)).toBeLessThan(24 + 90)
})

test('load is linear between points, and jumps where it says so', () => {
  const load = createLoad([
    { atMs: 0, requestsPerSecond: 0 },
    { atMs: 1000, requestsPerSecond: 100 },
    { atMs: 2000, requestsPerSecond: 10, step: true },
  ])
  expect([0, 500, 1000, 1999, 2000, 9000].map(load)).toEqual([0, 50, 100, 100, 10, 10])
})

const steady = [{ atMs: 0, requestsPerSecond: 400 }]

test('ten workers on two cores are slower than ten on ten, and together use no more than two', () => {
  const settings = fleetSettings({ workers: { min: 10 } })
  const [wide, narrow] = [10, 2].map((cpus) => {
    const scenario = { ...calmScenario, load: [{ atMs: 0, requestsPerSecond: 800 }], host: { cpus, memoryBytes: 8e9 } }
    return simulate(settings, scenario, 60_000)
  }) as [ReturnType<typeof simulate>, ReturnType<typeof simulate>]
  const used = narrow.turns.flatMap(({ event }) => (event.kind === 'sampled' ? [event.usage.cpus as number] : []))
  expect(Math.max(...used)).toBeLessThanOrEqual(2.0001)
  const answered = (run: typeof wide): number => run.turns.at(-1)?.ledger.answered ?? 0
  // 800 × 4 ms are 3.2 cores: two of them answer 500 a second.
  expect(answered(narrow)).toBeLessThan(60 * 505)
  expect(answered(wide)).toBeGreaterThan(60 * 700)
})

test('more workers do not help a database that is full', () => {
  const answeredBy = (workers: number): number => {
    const scenario = { ...calmScenario, load: steady, request: { cpuMs: 1, waitMs: 100 }, database: { concurrency: 10 } }
    const run = simulate(fleetSettings({ workers: { min: workers, max: workers } }), scenario, 60_000)
    expect(run.broken).toEqual([])
    return run.turns.at(-1)?.ledger.answered ?? 0
  }
  expect(answeredBy(8) / answeredBy(2)).toBeCloseTo(1, 1)
})

test('garbage grows and is collected in a pause; what leaks stays', () => {
  const worker = { ...calmScenario.worker, memoryPerRequestBytes: 100_000, gcEveryBytes: 20e6, gcPauseMs: 80, leakPerRequestBytes: 1000 }
  const run = simulate(fleetSettings({ workers: { max: 1 } }), { ...calmScenario, load: [{ atMs: 0, requestsPerSecond: 50 }], worker }, 120_000)
  const seen = run.turns.flatMap(({ event }) => (event.kind === 'sampled' ? event.samples : []))
  const memory = seen.map(({ memoryBytes }) => memoryBytes as number)
  expect(Math.max(...memory.slice(10, 60)) - Math.min(...memory.slice(10, 60))).toBeGreaterThan(10e6)
  expect(Math.min(...memory.slice(60))).toBeGreaterThan(Math.min(...memory.slice(10, 60)))
  expect(Math.max(...seen.map(({ report }) => report?.eventLoopDelayP99Ms ?? 0))).toBe(80)
})
