import { describe, expect, test } from 'vitest'
import { resolveOptions } from '../../packages/supervisor/src/config/resolve.ts'
import { advanceShare, busiestOf, othersOf } from '../../packages/supervisor/src/policy/elsewhere.ts'
import type { WorkerFacts } from '../../packages/supervisor/src/policy/signals.ts'
import { Driver, fleetSettings, reportOf } from '../fleet/driver.ts'
import { Policy } from './policy.ts'

/** Requests pile up in workers that have nothing to do. */
const waiting = { cpu: 0.05, eventLoopUtilization: 0.1, eventLoopDelay: 5, memory: 0.5 }
const idle = { busiest: 0.1 }

describe('requests wait while all workers idle', () => {
  test.for([
    [{ queue: 150 }, 60],
    [{ queue: 900 }, 10],
    [{ p95: 9000 }, 300],
    [{ queue: 900, p95: 9000 }, 300],
  ] as const)('%o: the fleet keeps its size, and the decision says once that the wait is elsewhere', ([values, seconds]) => {
    const policy = new Policy(2, {}, idle).feed({ ...waiting, ...values }, seconds)
    expect(policy.changes()).toEqual([])
    expect(policy.told.length).toBeGreaterThan(0)
    for (const { from, wanted, heldBackBy } of policy.told) {
      expect(wanted).toBeGreaterThan(from)
      expect(heldBackBy[0]).toMatch(/^elsewhere: even the busiest worker uses only 10 % of its event loop or of a core; /)
    }
  })

  test('a signal that more workers do help counts as ever', () => {
    expect(new Policy(2, {}, idle).feed({ ...waiting, queue: 150, memory: 0.9 }, 60).target).toBeGreaterThan(2)
  })

  test("an app's own signal counts as ever: only the app knows what one of its workers takes", () => {
    const settings = { up: { jobs: { threshold: 50, forMs: 10_000 } } }
    expect(new Policy(2, settings, idle).feed({ ...waiting, jobs: 80 }, 10).target).toBeGreaterThan(2)
  })

  test.for([
    ['a worker is busy', { busiest: 0.6 }],
    ['one is silent', { busiest: null }],
  ] as const)('%s: the fleet grows as it always did', ([, fields]) => {
    expect(new Policy(2, {}, fields).feed({ ...waiting, queue: 150 }, 30).target).toBe(3)
  })

  test.for([
    [{ queue: 150 }, 60],
    [{ queue: 900, p95: 9000 }, 300],
  ] as const)('%o: one worker is full and the others have time left: it stays, and says whose requests wait', ([values, seconds]) => {
    const policy = new Policy(3, {}, { busiest: 1, others: 0.3 }).feed({ ...waiting, ...values }, seconds)
    expect(policy.changes()).toEqual([])
    expect(policy.told.map(({ heldBackBy }) => heldBackBy[0])).toContainEqual(
      expect.stringMatching(/^lopsided: one worker uses 100 % of its event loop or of a core, and the others 30 % in the mean; /),
    )
  })

  test.for([{ others: 0.5 }, { others: null }])('one is full, and of the others %o: it grows', (fields) => {
    expect(new Policy(3, {}, { busiest: 1, ...fields }).feed({ ...waiting, queue: 150 }, 30).target).toBeGreaterThan(3)
  })

  test('the floor needs no reason', () => {
    expect(new Policy(2, {}, { ...idle, min: 4 }).feed({ ...waiting, queue: 150 }, 1).target).toBe(4)
  })
})

const capacity = { cpus: 8, memoryBytes: 8e9, source: 'host' } as const
const scalingOf = (scaling: object) =>
  resolveOptions({ entry: './app.js', scaling }, { baseFolder: '/', environment: {}, capacity, isTerminal: false }).fleet.scaling

test.for([
  [{}, ['queue', 'p95']],
  [{ preset: 'responsive' }, ['queue', 'p95']],
  [{ up: { queue: { above: 20 } } }, ['p95']],
  [{ surge: { queue: 150 } }, ['p95']],
  [{ surge: { for: '5s' } }, ['queue', 'p95']],
  [{ up: { queue: { above: 100 }, p95: { for: '1s' } } }, []],
] as const)('%o: who gives a threshold has said what a worker takes at a time, and it counts even while workers idle', ([scaling, held]) => {
  const settings = scalingOf(scaling)
  expect(settings.heldWhileIdle).toEqual(held)
  const grew = new Policy(2, settings, idle).feed({ ...waiting, queue: 200 }, 120).target > 2
  expect(grew).toBe(!settings.heldWhileIdle.includes('queue'))
})

const facts = (cpu: number | null, eventLoopUtilization: number | null): WorkerFacts => ({
  workerId: 1,
  cpu,
  memory: 0.1,
  report: eventLoopUtilization === null ? null : reportOf({ eventLoopUtilization }),
  warmth: 1,
})

test('the busiest worker counts, by its loop or by its other threads; a silent one leaves it open', () => {
  expect(busiestOf([facts(0.1, 0.2), facts(0.1, 0.9)])).toBe(0.9)
  expect(busiestOf([facts(1.7, 0.2), facts(0.1, 0.1)])).toBe(1.7)
  expect(busiestOf([facts(0.1, 0.2), facts(null, 0.2)])).toBeNull()
  expect(busiestOf([facts(0.1, 0.2), facts(0.1, null)])).toBeNull()
  expect(busiestOf([])).toBeNull()
})

test('the others are all but the busiest, in the mean', () => {
  expect(othersOf([facts(0.1, 0.2), facts(0.1, 0.9), facts(0.4, 0.2)])).toBeCloseTo(0.3)
  expect(othersOf([facts(0.1, 0.9)])).toBeNull()
  expect(othersOf([facts(0.1, 0.2), facts(0.1, null)])).toBeNull()
})

test('the fleet tells its policy, and asks for no replicas that would wait as well', () => {
  const driver = new Driver(fleetSettings({ workers: { max: 2 } })).send({ kind: 'started' }).bootAll()
  for (let second = 0; second < 60; second++) driver.tick({ cpu: 0.05, report: reportOf({ queue: 900, eventLoopUtilization: 0.1 }) })
  expect(driver.fleet.target).toBe(1)
  expect(driver.fleet.standing?.heldBackBy[0]).toMatch(/^elsewhere: /)
  expect(driver.fleet.standing?.replicas).toBeNull()
  for (let second = 0; second < 60; second++) driver.tick({ cpu: 0.9, report: reportOf({ queue: 900, eventLoopUtilization: 0.99 }) }).bootAll()
  expect(driver.fleet.target).toBe(2)
})

test('requests that come in all at once keep a loop busy for a moment, a rush keeps it so', () => {
  let mean = advanceShare(null, 0.05, 1000)
  mean = advanceShare(mean, 1, 1000)
  expect(mean).toBeGreaterThan(0.5)
  mean = advanceShare(advanceShare(mean, 0.05, 1000), 0.05, 1000)
  expect(mean).toBeLessThan(0.5)
  expect(advanceShare(mean, null, 1000)).toBeNull()
})
