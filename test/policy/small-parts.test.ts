import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chooseReconnects, chooseSheds } from '../../packages/supervisor/src/policy/balance.ts'
import { ceilingOf, exhaustionTrigger } from '../../packages/supervisor/src/policy/capacity.ts'
import { bucketOf, merge, percentileMs, toSparse, total, upperEdgeMs } from '../../packages/supervisor/src/policy/latency.ts'
import { afterExit, calm } from '../../packages/supervisor/src/policy/respawn.ts'
import { type RetireCandidate, chooseRetirees } from '../../packages/supervisor/src/policy/retire.ts'
import { limitsAt } from '../../packages/supervisor/src/policy/schedule.ts'
import { wantedSpares } from '../../packages/supervisor/src/policy/spares.ts'

const durationMs = fc.double({ min: 0.05, max: 600_000, noNaN: true })

test('percentiles of the histogram are within 4 % of those of a sorted list, merged from any number of parts', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(durationMs, { maxLength: 80 }), { minLength: 1, maxLength: 5 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (parts, share) => {
        const sorted = parts.flat().sort((a, b) => a - b)
        const merged = merge(parts.map(histogramOf))
        expect(total(merged)).toBe(sorted.length)
        const exact = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]
        const told = percentileMs(merged, share)
        if (exact === undefined) {
          expect(told).toBeNull()
          return
        }
        // A microsecond beside the 4 %: below 32 µs a bucket is one microsecond wide.
        expect(Math.abs((told as number) - exact)).toBeLessThanOrEqual(exact * 0.04 + 0.001)
      },
    ),
    { numRuns: 300 },
  )
})

function histogramOf(durationsMs: readonly number[]): number[] {
  const dense: number[] = []
  for (const each of durationsMs) dense[bucketOf(each)] = (dense[bucketOf(each)] ?? 0) + 1
  return toSparse(Array.from(dense, (count) => count ?? 0))
}

test('a longer duration never falls into an earlier bucket, and the edge of its bucket lies above it', () => {
  fc.assert(
    fc.property(durationMs, durationMs, (a, b) => {
      expect(bucketOf(Math.max(a, b))).toBeGreaterThanOrEqual(bucketOf(Math.min(a, b)))
      expect(upperEdgeMs(bucketOf(a))).toBeGreaterThanOrEqual(a - 0.001)
    }),
  )
})

test.for([Number.NaN, Number.POSITIVE_INFINITY, -5, 1e12])('%s as a duration falls into some bucket', (garbage) => {
  expect(bucketOf(garbage)).toBeGreaterThanOrEqual(0)
  expect(bucketOf(garbage)).toBeLessThan(928)
})

const count = fc.option(fc.integer({ min: 0, max: 50 }), { nil: null })
const candidates = fc
  .array(fc.record({ sockets: count, queue: count, connections: count }), { maxLength: 10 })
  .map((all) => all.map((each, index): RetireCandidate => ({ ...each, workerId: index + 1, slot: index })))

/** The cheapest one, found by comparing each with each. */
function cheapest(all: readonly RetireCandidate[]): RetireCandidate | undefined {
  const price = ({ sockets, queue }: RetireCandidate): number => (sockets === null || queue === null ? 1e9 : sockets + queue)
  const beats = (a: RetireCandidate, b: RetireCandidate): boolean => {
    if (price(a) !== price(b)) return price(a) < price(b)
    const [inA, inB] = [a.connections ?? 1e9, b.connections ?? 1e9]
    return inA !== inB ? inA < inB : a.slot > b.slot
  }
  return all.find((each) => all.every((other) => other === each || beats(each, other)))
}

test('who retires: the cheapest to drain, one after the other, never the last ready one; as a dumb model has it', () => {
  fc.assert(
    fc.property(candidates, fc.integer({ min: -2, max: 12 }), (ready, wanted) => {
      let left = [...ready]
      const expected: number[] = []
      while (expected.length < wanted && left.length > 1) {
        const next = cheapest(left) as RetireCandidate
        expected.push(next.workerId)
        left = left.filter((each) => each !== next)
      }
      expect(chooseRetirees(ready, wanted)).toEqual(expected)
    }),
    { numRuns: 500 },
  )
})

test('chance takes up to a quarter off a back-off, also off the longest', () => {
  const settings = { intensity: 9, windowMs: 10_000, backoffMs: 100, backoffMaxMs: 700 }
  let state = calm
  for (const longestMs of [100, 200, 400, 700, 700]) {
    const delays = [0, 0.5, 1].map((chance) => afterExit(state, 0, settings, chance).delayMs)
    expect(delays).toEqual([longestMs, Math.round(longestMs * 0.875), longestMs * 0.75])
    state = afterExit(state, 0, settings).state
  }
})

test('restart intensity and back-off, as a model that looks at the whole history has them', () => {
  const settings = { intensity: 3, windowMs: 10_000, backoffMs: 100, backoffMaxMs: 700 }
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 8000 }), { maxLength: 40 }), (pauses) => {
      let state = calm
      let nowMs = 0
      const history: number[] = []
      for (const pause of pauses) {
        nowMs += pause
        history.push(nowMs)
        const verdict = afterExit(state, nowMs, settings)
        state = verdict.state
        const recent = history.filter((atMs) => nowMs - atMs < settings.windowMs).length
        expect(verdict.exceeded).toBe(recent > settings.intensity)
        expect(verdict.delayMs).toBe(Math.min(100 * 2 ** (Math.min(recent, settings.intensity + 1) - 1), 700))
        expect(state.exitsMs.length).toBeLessThanOrEqual(settings.intensity + 1)
      }
    }),
    { numRuns: 300 },
  )
})

test('balance: only those well above their share let go, at most half of what they have, and it ends', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 2000 }), { maxLength: 10 }), (loads) => {
      const movable = [...loads]
      for (let rounds = 0; rounds < 60; rounds++) {
        const sheds = chooseSheds(movable.map((each, index) => ({ workerId: index, movable: each })))
        if (sheds.length === 0) break
        for (const { workerId, connections } of sheds) {
          expect(connections).toBeGreaterThan(0)
          expect(connections).toBeLessThanOrEqual(Math.ceil((movable[workerId] as number) / 2))
          movable[workerId] = (movable[workerId] as number) - connections
          // The emptiest gets what was let go.
          const emptiest = movable.indexOf(Math.min(...movable))
          movable[emptiest] = (movable[emptiest] as number) + connections
        }
      }
      expect(chooseSheds(movable.map((each, index) => ({ workerId: index, movable: each })))).toEqual([])
    }),
    { numRuns: 200 },
  )
})

const MB = 1e6
const container = { cpus: 2.5, memoryBytes: 1000 * MB, source: 'cgroup2' } as const

test.for([
  ['every part of a core counts as one', { oversubscribe: false, usedMb: 100, eachMb: 60, processes: 1 }, 3],
  ['oversubscribed, only memory counts', { oversubscribe: true, usedMb: 300, eachMb: 100, processes: 3 }, 9],
  ['memory is the tighter limit', { oversubscribe: false, usedMb: 800, eachMb: 400, processes: 2 }, 2],
  ['memory is exhausted: not even those that are there', { oversubscribe: false, usedMb: 990, eachMb: 450, processes: 2 }, 1],
] as const)('capacity: %s', ([, { oversubscribe, usedMb, eachMb, processes }, workers]) => {
  const memoryBytes = Array.from({ length: processes }, () => eachMb * MB)
  const usage = { cpus: 1, memoryBytes: usedMb * MB }
  expect(ceilingOf({ capacity: container, usage, oversubscribe, target: processes, exhaustedCpus: null, processes, memoryBytes }).workers).toBe(
    workers,
  )
})

test('capacity says what is exhausted, with the numbers', () => {
  const input = { capacity: container, oversubscribe: true, target: 2, exhaustedCpus: null, processes: 2, memoryBytes: [400 * MB, 400 * MB] }
  expect(ceilingOf({ ...input, usage: { cpus: 1, memoryBytes: 850 * MB } }).because()).toBe(
    '850 MB of 1000 MB memory are used and a worker takes 400 MB',
  )
  expect(ceilingOf({ ...input, oversubscribe: false, usage: { cpus: 1, memoryBytes: null } }).because()).toBe('2.5 CPUs (cgroup2) carry 3 workers')
})

test('used up CPU: the fleet may stay, but not grow, unless it is meant to be larger than the container', () => {
  const usage = { cpus: 2.45, memoryBytes: 100 * MB }
  const input = { capacity: container, usage, oversubscribe: false, target: 2, exhaustedCpus: 2.447, processes: 2, memoryBytes: [60 * MB, 60 * MB] }
  const { workers, because } = ceilingOf(input)
  expect([workers, because()]).toEqual([2, '2.45 of 2.5 CPUs (cgroup2) are used'])
  expect(ceilingOf({ ...input, exhaustedCpus: null }).workers).toBe(3)
  expect(ceilingOf({ ...input, oversubscribe: true }).workers).toBeGreaterThan(3)
})

test.for([
  [0.5, 0.475],
  [2, 1.9],
  [4, 3.8],
  [32, 31.75],
] as const)('of %s CPUs, more than %s in use are as good as all: less than that is room for a worker', ([cpus, threshold]) => {
  expect(exhaustionTrigger({ ...container, cpus }).threshold).toBeCloseTo(threshold, 9)
})

test.for([
  ['auto: one where memory is roomy', 'auto', 400, 0, 1],
  ['auto: none where it is not', 'auto', 700, 0, 0],
  ['auto: the one that is there stays where it would not be started', 'auto', 850, 1, 1],
  ['auto: it goes before memory is exhausted', 'auto', 950, 1, 0],
  ['a number is obeyed as far as memory goes', 3, 600, 0, 3],
  ['a number is bounded by memory', 3, 750, 0, 1],
  ['what is not known starts none', 2, null, 0, 0],
  ['what is not known ends none', 2, null, 2, 2],
  ['none are wanted', 0, 100, 1, 0],
] as const)('spares: %s', ([, setting, usedMb, existing, wanted]) => {
  const usage = { cpus: 1, memoryBytes: usedMb === null ? null : usedMb * MB }
  expect(wantedSpares({ setting, capacity: container, usage, memoryBytes: [100 * MB], existing })).toBe(wanted)
})

test('spares never flap: what is started where there is room is not sent away for the room it takes', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('auto' as const, 1, 2, 3),
      fc.integer({ min: 0, max: 1000 }),
      fc.integer({ min: 48, max: 300 }),
      (setting, otherMb, eachMb) => {
        let existing = 0
        const counts: number[] = []
        for (let tick = 0; tick < 10; tick++) {
          const usage = { cpus: 1, memoryBytes: (otherMb + existing * eachMb) * MB }
          existing = wantedSpares({ setting, capacity: container, usage, memoryBytes: [eachMb * MB], existing })
          counts.push(existing)
        }
        expect(new Set(counts.slice(1)).size).toBe(1)
      },
    ),
  )
})

const office = { cron: '0 8 * * 1-5', timezone: 'Europe/Berlin', min: 4, max: null, until: '0 18 * * 1-5', forMs: null }
const base = { min: 1, max: 10 }
const at = (iso: string): number => Date.parse(iso)

test.for([
  ['2026-11-24T06:59:59Z', 1],
  ['2026-11-24T07:00:00Z', 4],
  ['2026-11-24T16:59:59Z', 4],
  ['2026-11-24T17:00:00Z', 1],
  ['2026-11-22T12:00:00Z', 1],
] as const)('schedule: office hours in Berlin at %s give a floor of %s', ([iso, min]) => {
  expect(limitsAt([office], at(iso), base)).toEqual({ min, max: 10 })
})

test('schedule: on the day the clocks change, the hours are those of the wall', () => {
  const daily = { ...office, cron: '0 8 * * *', until: '0 18 * * *' }
  // 2026-03-29: Berlin goes from UTC+1 to UTC+2 at 02:00; 2026-10-25: back.
  const minAt = (iso: string): number => limitsAt([daily], at(iso), base).min
  expect(['2026-03-28T06:59:00Z', '2026-03-28T07:00:00Z', '2026-03-29T05:59:00Z', '2026-03-29T06:00:00Z', '2026-03-29T16:00:00Z'].map(minAt)).toEqual(
    [1, 4, 1, 4, 1],
  )
  expect(['2026-10-25T06:59:00Z', '2026-10-25T07:00:00Z', '2026-10-25T16:59:00Z', '2026-10-25T17:00:00Z'].map(minAt)).toEqual([1, 4, 4, 1])
})

test('schedule: a time that does not exist on the day the clocks change still begins and ends its entry', () => {
  const early = { ...office, cron: '30 2 * * *', until: '30 3 * * *' }
  const minAt = (iso: string): number => limitsAt([early], at(iso), base).min
  // 02:30 is no time of that day in Berlin: the hour from 02:00 is skipped at 01:00 UTC. An entry that begins in it begins with the next.
  const long = { ...early, until: '0 5 * * *' }
  expect(['00:59', '01:01', '02:59', '03:01'].map((time) => limitsAt([long], at(`2026-03-29T${time}:00Z`), base).min)).toEqual([1, 4, 4, 1])
  // 02:30 comes twice on that day.
  expect(['2026-10-25T00:29:00Z', '2026-10-25T00:31:00Z', '2026-10-25T02:29:00Z', '2026-10-25T02:31:00Z'].map(minAt)).toEqual([1, 4, 4, 1])
})

test('schedule: a duration, a ceiling, and a floor above the ceiling', () => {
  const night = { cron: '0 22 * * *', timezone: 'UTC', min: null, max: 2, until: null, forMs: 8 * 3_600_000 }
  expect(limitsAt([night], at('2026-11-24T23:00:00Z'), base)).toEqual({ min: 1, max: 2 })
  expect(limitsAt([night], at('2026-11-24T05:59:59Z'), base)).toEqual({ min: 1, max: 2 })
  expect(limitsAt([night], at('2026-11-24T06:00:00Z'), base)).toEqual({ min: 1, max: 10 })
  expect(limitsAt([night, { ...night, min: 5, max: null }], at('2026-11-24T23:00:00Z'), base)).toEqual({ min: 5, max: 5 })
  expect(limitsAt([{ ...night, min: 50, max: null }], at('2026-11-24T23:00:00Z'), base)).toEqual({ min: 10, max: 10 })
})

test('balance: long-lived clients reconnect a few a second, never more than the surplus, and it ends', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 10 }), fc.integer({ min: 100, max: 10_000 }), (movable, tickMs) => {
      const loads = movable.map((each, index) => ({ workerId: index, movable: each }))
      const fair = movable.reduce((sum, each) => sum + each, 0) / Math.max(1, movable.length)
      const moves = chooseReconnects(loads, tickMs)
      expect(moves.map(({ workerId }) => workerId)).toEqual(chooseSheds(loads).map(({ workerId }) => workerId))
      for (const { workerId, connections } of moves) {
        const own = movable[workerId] as number
        expect(connections).toBeGreaterThanOrEqual(1)
        expect(connections).toBeLessThanOrEqual(Math.ceil(own - fair))
        expect(connections).toBeLessThanOrEqual(Math.max(1, (Math.max(5, own / 100) * tickMs) / 1000))
      }
    }),
    { numRuns: 300 },
  )
})
