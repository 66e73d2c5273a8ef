import { expect, test } from 'vitest'
import { bucketOf } from '../../packages/supervisor/src/policy/latency.ts'
import { type WorkerFacts, readSignals } from '../../packages/supervisor/src/policy/signals.ts'
import { reportOf } from '../fleet/driver.ts'

const at = (...latencies: readonly number[][]) => ({ latencies, queueTimes: [] })

const worker = (workerId: number, cpu: number | null, queue: number | null): WorkerFacts => ({
  workerId,
  cpu,
  memory: 0.5,
  report: queue === null ? null : reportOf({ queue }),
  warmth: 1,
})

test('a signal is the mean over ready workers', () => {
  const { cpu, queue } = readSignals([worker(1, 0.2, 10), worker(2, 0.6, 30)], 0, at())
  expect(cpu).toEqual({ up: 0.4, down: 0.4, shown: 0.4 })
  expect(queue).toEqual({ up: 20, down: 20, shown: 20 })
})

test('a silent worker counts as idle when growing, forbids shrinking, and is left out for people', () => {
  expect(readSignals([worker(1, 0.8, 40), worker(2, null, null)], 0, at())).toMatchObject({
    cpu: { up: 0.4, down: null, shown: 0.8 },
    queue: { up: 20, down: null, shown: 40 },
    p95: { up: 0, down: null, shown: null },
  })
})

test('a warming worker counts as capacity when growing and forbids shrinking', () => {
  expect(readSignals([worker(1, 0.9, 100)], 2, at())['queue']).toEqual({ up: 100 / 3, down: null, shown: 100 })
})

test('nobody known, nobody there: nothing holds in any direction', () => {
  for (const ready of [[], [worker(1, null, null)]]) expect(readSignals(ready, 0, at())['queue']).toEqual({ up: null, down: null, shown: null })
})

test.for([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1])('%s is no measurement: it counts as missing', (garbage) => {
  expect(readSignals([worker(1, garbage, garbage), worker(2, 0.6, 30)], 0, at())).toMatchObject({
    cpu: { up: 0.3, down: null, shown: 0.6 },
    queue: { up: 15, down: null, shown: 30 },
  })
})

test('what a new worker spends on warming up counts in part for growth, its queue counts whole, and nothing shrinks meanwhile', () => {
  const { cpu, queue, p95, memory } = readSignals([worker(1, 0.6, 30), { ...worker(2, 1, 90), warmth: 0.25 }], 0, at())
  expect(cpu).toEqual({ up: (0.6 + 0.25) / 2, down: null, shown: 0.8 })
  expect(queue).toEqual({ up: 60, down: null, shown: 60 })
  expect(memory).toEqual({ up: 0.5, down: null, shown: 0.5 })
  expect(p95).toEqual({ up: 0, down: null, shown: 0 })
})

const jobs = (workerId: number, signals: Readonly<Record<string, number>> | null): WorkerFacts => ({
  ...worker(workerId, 0, null),
  report: signals === null ? null : reportOf({ signals }),
})

test("a signal of the app's own: as with the others, what is missing counts against the intended action", () => {
  const read = (...ready: WorkerFacts[]) => readSignals(ready, 0, at(), ['jobs'])['jobs']
  expect(read(jobs(1, { jobs: 4 }), jobs(2, { jobs: 8 }))).toEqual({ up: 6, down: 6, shown: 6 })
  expect(read(jobs(1, { jobs: 4 }), jobs(2, {}))).toEqual({ up: 2, down: null, shown: 4 })
  expect(read(jobs(1, { jobs: 4 }), jobs(2, null))).toEqual({ up: 2, down: null, shown: 4 })
  expect(read(jobs(1, {}))).toEqual({ up: null, down: null, shown: null })
  expect(read(jobs(1, { jobs: -4 }), jobs(2, {}))).toEqual({ up: -4, down: null, shown: -4 })
  expect(readSignals([jobs(1, { jobs: 4 })], 1, at(), ['jobs'])['jobs']).toEqual({ up: 2, down: null, shown: 4 })
})

const slow = (count: number): number[] => [bucketOf(5000), count]

test('p95 of a handful of responses is chance: no reason to grow, but none to shrink either', () => {
  const ready = [worker(1, 0.1, 0)]
  expect(readSignals(ready, 0, at(slow(19)))['p95']?.up).toBe(0)
  expect(readSignals(ready, 0, at(slow(10), slow(10)))['p95']?.up).toBeGreaterThan(4900)
  expect(readSignals(ready, 0, at(slow(1)))['p95']?.down).toBeGreaterThan(4900)
})

test('without a request in the window p95 is 0, so a quiet fleet can shrink', () => {
  expect(readSignals([worker(1, 0.1, 0)], 0, at([], []))['p95']).toEqual({ up: 0, down: 0, shown: 0 })
})

test('the time before requests got here is read like p95: of the whole fleet, and 0 where nobody told it', () => {
  const ready = [worker(1, 0.1, 0)]
  const waited = { latencies: [], queueTimes: [[bucketOf(800), 30]] }
  expect(readSignals(ready, 0, waited)['queueTime']?.up).toBeGreaterThan(790)
  expect(readSignals(ready, 0, waited)['p95']).toEqual({ up: 0, down: 0, shown: 0 })
  expect(readSignals(ready, 0, at())['queueTime']).toEqual({ up: 0, down: 0, shown: 0 })
})
