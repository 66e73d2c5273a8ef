import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { downCooldownMs, flapsAfterGrowth, forgetFlaps, noFlaps } from '../../packages/supervisor/src/policy/flaps.ts'
import { allowanceOf, remember } from '../../packages/supervisor/src/policy/rate.ts'
import { Policy, quiet } from './policy.ts'

describe('a rate', () => {
  const perMinute = { workers: 3, perMs: 60_000 }

  test('holds growth back in the surge lane too, says how many and when more may come, and lets them come then', () => {
    const policy = new Policy(2, { rateUp: perMinute }).feed({ queue: 900, eventLoopUtilization: 0.99 }, 2)
    expect(policy.target).toBe(4)
    policy.feed({ queue: 900, eventLoopUtilization: 0.99 }, 2)
    expect(policy.target).toBe(5)
    expect(policy.told.at(-1)).toMatchObject({ from: 4, to: 5, wanted: 8, heldBackBy: ['rate.up: at most 3 workers may be added in 60 s'] })
    policy.feed({ queue: 900, eventLoopUtilization: 0.99 }, 57)
    expect(policy.target).toBe(5)
    expect(policy.last?.wouldChange).toBe('1 s more of the same')
    expect(policy.feed({ queue: 900, eventLoopUtilization: 0.99 }, 1).target).toBe(7)
  })

  test('holds shrinking back', () => {
    const policy = new Policy(10, { stepDown: 4, rateDown: { workers: 2, perMs: 600_000 }, cooldownDownMs: 0 }).feed(quiet, 300)
    expect(policy.target).toBe(8)
    expect(policy.feed(quiet, 599).target).toBe(8)
    expect(policy.feed(quiet, 1).target).toBe(6)
  })

  test('does not count what was ordered: floors and ceilings', () => {
    const policy = new Policy(1, { rateUp: perMinute }, { min: 6 }).feed({}, 1)
    expect(policy.target).toBe(6)
    expect(policy.feed({ queue: 900, eventLoopUtilization: 0.99 }, 2).target).toBe(9)
  })

  test('whatever the load does, no time of that length sees more than it allows', () => {
    const load = fc.array(fc.constantFrom(0, 50, 400, 900), { minLength: 20, maxLength: 400 })
    fc.assert(
      fc.property(load, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 5, max: 60 }), (queues, workers, seconds) => {
        const settings = { rateUp: { workers, perMs: seconds * 1000 }, rateDown: { workers: 1, perMs: seconds * 1000 }, cooldownDownMs: 0 }
        const policy = new Policy(1, { ...settings, down: { queue: { threshold: 10, forMs: 2000 } } })
        for (const queue of queues) policy.feed({ queue }, 1)
        for (const { atMs } of policy.changes()) {
          const recent = policy.changes().filter((change) => change.atMs <= atMs && atMs - change.atMs < seconds * 1000)
          const sum = (sign: number): number => recent.reduce((all, { from, to }) => all + Math.max(0, sign * (to - from)), 0)
          expect(sum(1)).toBeLessThanOrEqual(workers)
          expect(sum(-1)).toBeLessThanOrEqual(1)
        }
        expect(policy.state.changes.length).toBeLessThanOrEqual(workers + 1)
      }),
      { numRuns: 60 },
    )
  })

  test('none: nothing is counted and nothing remembered', () => {
    expect(allowanceOf(null, [{ atMs: 0, by: 9 }], 1, 1).workers).toBe(Number.POSITIVE_INFINITY)
    expect(remember([], { atMs: 0, by: 9 }, null, perMinute)).toEqual([])
  })
})

describe('the penalty for flapping', () => {
  const settings = { flapPenalty: true, cooldownDownMs: 100_000 }

  test('a square wave whose calm is just long enough to shrink: each period shrinks later, so that there are fewer changes', () => {
    const short = { down: { queue: { threshold: 10, forMs: 10_000 } }, cooldownUpMs: 0, cooldownDownMs: 20_000 }
    const changesIn = (policy: Policy, waves: number): number => {
      const before = policy.changes().length
      for (let wave = 0; wave < waves; wave++) policy.feed({ queue: 900, eventLoopUtilization: 0.99 }, 4).feed(quiet, 60)
      return policy.changes().length - before
    }
    const [punished, free] = [new Policy(2, short), new Policy(2, { ...short, flapPenalty: false })]
    const first = changesIn(punished, 2)
    expect(changesIn(punished, 4) / 2).toBeLessThan(first)
    expect(changesIn(free, 6)).toBeGreaterThan(punished.changes().length)
  })

  test('the decision says how long and why', () => {
    const policy = new Policy(3, { cooldownUpMs: 0 }).feed(quiet, 300).feed({ queue: 900, eventLoopUtilization: 0.99 }, 2)
    expect(policy.state.flaps.count).toBe(1)
    policy.feed(quiet, 310)
    expect(policy.last?.heldBackBy).toEqual(['cooldown.down: 290 s of 600 s left (2 × 300 s, because it grew right after it shrank)'])
  })

  test('growth long after shrinking is none, nor is growth that a floor orders, and the first growth never is', () => {
    expect(flapsAfterGrowth(noFlaps, null, 5, settings)).toBe(noFlaps)
    expect(flapsAfterGrowth(noFlaps, 0, 200_000, settings)).toBe(noFlaps)
    expect(flapsAfterGrowth(noFlaps, 0, 199_999, settings).count).toBe(1)
    const policy = new Policy(3).feed(quiet, 300)
    expect(policy.target).toBe(2)
    const { state } = policy
    const lifted = new Policy(2, {}, { min: 4 })
    lifted.state = state
    lifted.nowMs = policy.nowMs
    expect(lifted.feed(quiet, 1)).toMatchObject({ target: 4, state: { flaps: noFlaps } })
  })

  test('it never more than makes eight times of the cooldown, and a calm fleet forgets it all', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2_000_000 }), { maxLength: 30 }), (gaps) => {
        let [flaps, nowMs] = [noFlaps, 0]
        for (const gapMs of gaps) {
          nowMs += gapMs
          flaps = flapsAfterGrowth(forgetFlaps(flaps, nowMs, settings), nowMs - 1000, nowMs, settings)
          expect(downCooldownMs(flaps, settings)).toBeLessThanOrEqual(800_000)
        }
        for (let calm = 0; calm < 3; calm++) {
          nowMs += 3_200_000
          flaps = forgetFlaps(flaps, nowMs, settings)
        }
        expect(flaps.count).toBe(0)
      }),
    )
    expect(downCooldownMs({ count: 3, atMs: 0 }, { ...settings, flapPenalty: false })).toBe(100_000)
  })
})
