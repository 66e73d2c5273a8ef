import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Policy, middling, quiet, signalsOf } from './policy.ts'

const windowOnly = { surge: null } as const

test('the sentence tells the figure that decided: the mean of the window, not a last value below the threshold', () => {
  const policy = new Policy(2, windowOnly).feed({ cpu: 0.9 }, 59).feed({ cpu: 0.66 }, 1)
  expect(policy.told[0]?.reason).toMatch(/^cpu (8[5-9]|90) % above 70 % for 60 s$/)
  expect(policy.told[0]?.signals['cpu']?.value).toBeGreaterThan(0.7)
  expect(new Policy(2, windowOnly).feed({ cpu: 0.703 }, 60).told[0]?.reason).toBe('cpu 70.3 % above 70 % for 60 s')
})

test('whatever the values were, every figure that a change names is on the side of its threshold that it says', () => {
  const ticks = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 60, maxLength: 200 })
  fc.assert(
    fc.property(ticks, (values) => {
      const policy = new Policy(2, windowOnly)
      for (const cpu of values) policy.feed({ cpu }, 1)
      for (const { signals } of policy.changes()) {
        for (const { value, threshold } of Object.values(signals)) expect(value).toBeGreaterThanOrEqual(threshold)
      }
    }),
    { numRuns: 50 },
  )
})

test.for([
  ['cpu', 0.71, 60],
  ['memory', 0.81, 60],
  ['queue', 101, 30],
  ['p95', 2001, 120],
  ['eventLoopDelay', 101, 30],
  ['eventLoopUtilization', 0.81, 30],
] as const)('%s above its threshold alone makes the fleet grow, when its whole window is full and not a tick before', ([name, value, seconds]) => {
  const policy = new Policy(2, windowOnly).feed({ [name]: value }, seconds - 1)
  expect(policy.changes()).toEqual([])
  policy.feed({ [name]: value }, 1)
  expect(policy.changes()).toHaveLength(1)
  expect(policy.told[0]).toMatchObject({ from: 2, to: 3, lane: 'window', heldBackBy: [] })
  expect(Object.keys(policy.told[0]?.signals ?? {})).toEqual([name])
  expect(policy.told[0]?.signals[name]).toMatchObject({ value, heldForMs: seconds * 1000 })
})

test.for(Object.keys(quiet))('all signals but %s are quiet: the fleet does not shrink', (name) => {
  const policy = new Policy(3, windowOnly).feed({ ...quiet, [name]: middling[name] as number }, 1000)
  expect(policy.changes()).toEqual([])
})

test('all signals quiet for the whole window: one worker less, and the next only after window and cooldown', () => {
  const policy = new Policy(3).feed(quiet, 299)
  expect(policy.changes()).toEqual([])
  expect(policy.last?.reason).toContain('not long enough yet')
  policy.feed(quiet, 1)
  expect(policy.target).toBe(2)
  policy.feed(quiet, 299)
  expect(policy.target).toBe(2)
  policy.feed(quiet, 1)
  expect(policy.target).toBe(1)
  policy.feed(quiet, 2000)
  expect(policy.changes()).toHaveLength(2)
})

test('after a shrink the cooldown holds the next one back', () => {
  const policy = new Policy(3, { cooldownDownMs: 600_000 }).feed(quiet, 300)
  expect(policy.target).toBe(2)
  expect(policy.feed(quiet, 599).target).toBe(2)
  expect(policy.feed(quiet, 1).target).toBe(1)
})

test('what is on its way is not ordered twice: the step is taken from the value that counts warming workers', () => {
  const policy = new Policy(4, windowOnly)
  for (let tick = 0; tick < 60; tick++) policy.tick({ ...signalsOf(middling), cpu: { up: 0.75, down: null, shown: 1.4 } })
  expect(policy.target).toBe(5)
})

test('one signal that is not reported, or one worker that is silent, forbids to shrink', () => {
  const policy = new Policy(3)
  for (let tick = 0; tick < 1000; tick++) policy.tick({ ...signalsOf(quiet), cpu: { up: 0.05, down: null, shown: 0.05 } })
  expect(policy.changes()).toEqual([])
  expect(new Policy(3).feed({ ...quiet, queue: null }, 1000).changes()).toEqual([])
})

test('a missing value ends a hold: what nobody reported proves nothing', () => {
  const policy = new Policy(2, windowOnly).feed({ cpu: 0.9 }, 50).feed({ cpu: null }, 1).feed({ cpu: 0.9 }, 59)
  expect(policy.changes()).toEqual([])
  expect(policy.feed({ cpu: 0.9 }, 1).changes()).toHaveLength(1)
})

test('one noisy tick does not throw away a minute of evidence, and an old peak does not outlive its cause', () => {
  expect(new Policy(2, windowOnly).feed({ cpu: 0.9 }, 30).feed({ cpu: 0.5 }, 1).feed({ cpu: 0.9 }, 29).changes()).toHaveLength(1)
  expect(new Policy(2, windowOnly).feed({ cpu: 0.9 }, 20).feed({ cpu: 0.2 }, 100).changes()).toEqual([])
})

test.for([
  [0.71, 5],
  [1.05, 6],
  [1.4, 8],
  [7, 8],
] as const)('at cpu %s a fleet of 4 goes to %s: in proportion, at least one more, at most double', ([cpu, to]) => {
  expect(new Policy(4, windowOnly).feed({ cpu }, 60).target).toBe(to)
})

test('a fixed step is taken as it was configured', () => {
  expect(new Policy(1, { surge: null, stepUp: 3 }).feed({ cpu: 0.9 }, 60).target).toBe(4)
  expect(new Policy(6, { stepDown: 2 }).feed(quiet, 300).target).toBe(4)
})

test('after growth the cooldown holds the next growth back, says so once, and then lets it pass', () => {
  const policy = new Policy(2, { surge: null, cooldownUpMs: 100_000 }).feed({ cpu: 0.9 }, 60).feed({ cpu: 0.9 }, 99)
  expect(policy.changes()).toHaveLength(1)
  expect(policy.told).toHaveLength(2)
  expect(policy.told[1]).toMatchObject({ from: 3, to: 3, wanted: 4 })
  expect(policy.told[1]?.heldBackBy).toEqual(['cooldown.up: 40 s of 100 s left'])
  expect(policy.feed({ cpu: 0.9 }, 1).target).toBe(4)
})

test.for([
  [{ eventLoopUtilization: 0.96 }, 2],
  [{ queue: 300 }, 2],
] as const)('surge: %o for two seconds is enough, whatever window or cooldown says', ([values, seconds]) => {
  const policy = new Policy(2).feed({ cpu: 0.9 }, 60)
  expect(policy.target).toBe(3)
  policy.feed(values, seconds - 1)
  expect(policy.target).toBe(3)
  policy.feed(values, 1)
  expect(policy.target).toBeGreaterThan(3)
  expect(policy.told.at(-1)).toMatchObject({ lane: 'surge', heldBackBy: [] })
})

test.for([
  ['stays', [280, 280], {}, true],
  ['falls a little', [280, 230], {}, true],
  ['melts', [280, 180], {}, false],
  ['is small, whatever it does', [90, 1], {}, true],
  ['melts where queue is no signal', [280, 180], { up: { cpu: { threshold: 0.7, forMs: 60_000 } } }, true],
] as const)('surge: full loops call for more where their backlog %s: %o', ([, queues, settings, grows]) => {
  const policy = new Policy(4, settings)
  for (const queue of queues) policy.feed({ eventLoopUtilization: 1, queue }, 1)
  expect(policy.target > 4).toBe(grows)
})

test('surge: a backlog that melts and then stays calls for more', () => {
  const policy = new Policy(4).feed({ eventLoopUtilization: 1, queue: 280 }, 1).feed({ eventLoopUtilization: 1, queue: 180 }, 1)
  expect(policy.target).toBe(4)
  for (let seconds = 0; policy.target === 4; seconds++) {
    expect(seconds).toBeLessThan(10)
    policy.feed({ eventLoopUtilization: 1, queue: 180 }, 1)
  }
  expect(policy.told.at(-1)).toMatchObject({ lane: 'surge' })
})

test('the capacity guard holds growth back, in the surge lane too, and says that replicas are needed', () => {
  const ceiling = { workers: 3, because: () => '2.5 CPUs (cgroup2) carry 3 workers' }
  const policy = new Policy(2, {}, { ceiling }).feed({ queue: 900, eventLoopUtilization: 0.99 }, 20)
  expect(policy.target).toBe(3)
  expect(policy.told[0]).toMatchObject({ from: 2, to: 3, wanted: 4 })
  expect(policy.told[0]?.heldBackBy).toEqual(['capacity: 2.5 CPUs (cgroup2) carry 3 workers; more workers cannot help, replicas are needed'])
  expect(policy.told).toHaveLength(2)
})

test('workers.max holds growth back, and says so', () => {
  const policy = new Policy(10).feed({ queue: 900 }, 20)
  expect(policy.target).toBe(10)
  expect(policy.told).toHaveLength(1)
  expect(policy.told[0]?.heldBackBy[0]).toContain('workers.max: 10')
})

test('floors and ceilings come first and need no window', () => {
  expect(new Policy(2, {}, { min: 4 }).feed(quiet, 1).last).toMatchObject({ from: 2, to: 4, lane: 'bounds', reason: 'the floor is 4' })
  expect(new Policy(8, {}, { max: 5 }).feed({ cpu: 0.99 }, 1).last).toMatchObject({ from: 8, to: 5, lane: 'bounds', reason: 'the ceiling is 5' })
})

test('not even a scheduled floor forks what the container cannot carry', () => {
  const policy = new Policy(2, {}, { min: 6, ceiling: { workers: 3, because: () => '3 CPUs (host) carry 3 workers' } }).feed(middling, 100)
  expect(policy.target).toBe(3)
  expect(policy.last).toMatchObject({ to: 3, wanted: 6, lane: 'bounds' })
  expect(policy.last?.heldBackBy[0]).toContain('capacity: 3 CPUs')
  expect(policy.told).toHaveLength(2)
})

test('shadow mode decides and explains, and never acts; its record has the pace of the real one', () => {
  const policy = new Policy(2, { mode: 'shadow' }).feed({ cpu: 0.9, queue: 900, eventLoopUtilization: 0.9 }, 600)
  expect(policy.target).toBe(2)
  expect(policy.changes()).toEqual([])
  expect(policy.told[0]).toMatchObject({ from: 2, to: 2, wanted: 4, lane: 'surge', heldBackBy: ['shadow mode: decided, not done'] })
  expect(policy.told.length).toBeLessThanOrEqual(21)
  const floor = new Policy(2, { mode: 'shadow' }, { min: 3 }).feed(middling, 600)
  expect(floor.target).toBe(2)
  expect(floor.told.length).toBeLessThanOrEqual(21)
})

test('by hand: the policy explains what it would do, and does nothing', () => {
  const policy = new Policy(2, {}, { byHand: true }).feed({ queue: 900, eventLoopUtilization: 0.9 }, 60)
  expect(policy.target).toBe(2)
  expect(policy.last).toMatchObject({ to: 2, wanted: 4, lane: 'manual' })
})

test('what holds a decision back is told once, and again only when it was gone for a minute', () => {
  const policy = new Policy(10)
  for (let round = 0; round < 10; round++) policy.feed({ queue: 900 }, 10).feed({}, 10)
  expect(policy.told).toHaveLength(1)
  policy.feed({}, 120).feed({ queue: 900 }, 10)
  expect(policy.told).toHaveLength(2)
})

test('a square wave of 30 seconds for 10 minutes makes at most 4 changes', () => {
  const policy = new Policy(2)
  const busy = { cpu: 0.85, eventLoopUtilization: 0.85, queue: 150, p95: 2500, eventLoopDelay: 150 }
  for (let wave = 0; wave < 10; wave++) policy.feed(busy, 30).feed(quiet, 30)
  expect(policy.changes().length).toBeLessThanOrEqual(4)
})

const value = fc.option(fc.double({ min: 0, max: 1000, noNaN: true }), { nil: null })
const anySignals = fc.record({ cpu: value, memory: value, queue: value, p95: value, eventLoopDelay: value, eventLoopUtilization: value })

test('constant input that the size does not change: at most one change of direction, never one up and one down', () => {
  fc.assert(
    fc.property(anySignals, fc.integer({ min: 1, max: 10 }), (values, target) => {
      const policy = new Policy(target)
      for (let tick = 0; tick < 1500; tick++) policy.tick(signalsOf(values))
      const directions = new Set(policy.changes().map((decision) => Math.sign(decision.to - decision.from)))
      expect(directions.size).toBeLessThanOrEqual(1)
    }),
    { numRuns: 40 },
  )
})

test('more load never leads to fewer workers: until it has made the fleet grow, less load has not either', () => {
  fc.assert(
    fc.property(anySignals, fc.double({ min: 1, max: 5, noNaN: true }), fc.integer({ min: 1, max: 10 }), (values, factor, target) => {
      const more = Object.fromEntries(Object.entries(values).map(([name, each]) => [name, each === null ? null : each * factor]))
      const [less, greater] = [new Policy(target), new Policy(target)]
      for (let tick = 0; tick < 130 && greater.target === target; tick++) {
        less.tick(signalsOf(values))
        greater.tick(signalsOf(more))
        expect(greater.target).toBeGreaterThanOrEqual(less.target)
      }
    }),
    { numRuns: 100 },
  )
})

test('a decision can be fed again: the same state and input give the same verdict', () => {
  fc.assert(
    fc.property(fc.array(anySignals, { minLength: 1, maxLength: 100 }), (ticks) => {
      const runs = [new Policy(3), new Policy(3)].map((policy) => {
        for (const values of ticks) policy.tick(signalsOf(values))
        return JSON.stringify([policy.told, policy.last, policy.state])
      })
      expect(runs[0]).toBe(runs[1])
    }),
    { numRuns: 50 },
  )
})
