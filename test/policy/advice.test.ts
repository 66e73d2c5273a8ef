import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readAnswer } from '../../packages/supervisor/src/policy/advice.ts'
import { Policy, quiet } from './policy.ts'

describe('the answer of a policy function', () => {
  test.for([
    [3, { workers: 3, reason: null }],
    [2.6, { workers: 3, reason: null }],
    [-4, { workers: 0, reason: null }],
    [Number.POSITIVE_INFINITY, { workers: 1_000_000, reason: null }],
    [
      { workers: 4, reason: 'the market opens' },
      { workers: 4, reason: 'the market opens' },
    ],
    [
      { workers: 4, reason: 7 },
      { workers: 4, reason: null },
    ],
    [null, null],
    [undefined, null],
  ] as const)('%o is understood', ([answer, advice]) => {
    expect(readAnswer(answer)).toEqual({ kind: 'advice', advice })
  })

  test.for([
    ['3', 'a string'],
    [true, 'a boolean'],
    [Number.NaN, 'NaN'],
    [{}, 'an object without a number of workers'],
    [{ workers: '3' }, 'an object without a number of workers'],
    [Promise.resolve(3), 'a promise'],
    [() => 3, 'a function'],
  ] as const)('%o is nonsense', ([answer, what]) => {
    expect(readAnswer(answer)).toEqual({ kind: 'nonsense', what })
  })
})

describe('what a policy function wants', () => {
  const wants = (workers: number, reason: string | null = null) => ({ advice: { workers, reason } })

  test('goes before windows, surge and cooldown, with its reason', () => {
    const policy = new Policy(2, {}, wants(5, 'the market opens')).feed(quiet, 1)
    expect(policy.last).toMatchObject({ from: 2, to: 5, lane: 'custom', reason: 'scaling.policy: the market opens', heldBackBy: [] })
    expect(new Policy(5, {}, wants(2)).feed({ queue: 900 }, 10).target).toBe(2)
  })

  test('is clamped: floor, ceiling, container and rates', () => {
    expect(new Policy(4, {}, { min: 2, ...wants(0) }).feed({}, 1).last).toMatchObject({
      to: 2,
      reason: 'scaling.policy: 0 wanted (0 is below the floor of 2)',
    })
    const high = new Policy(4, {}, wants(50)).feed({}, 1)
    expect(high.target).toBe(10)
    expect(high.last?.heldBackBy[0]).toContain('workers.max: 10')
    const ceiling = { workers: 6, because: () => '6 CPUs (host) carry 6 workers' }
    expect(new Policy(4, {}, { ceiling, ...wants(8) }).feed({}, 1).target).toBe(6)
    expect(new Policy(4, { rateUp: { workers: 1, perMs: 60_000 } }, wants(8)).feed({}, 5).target).toBe(5)
  })

  test('is only told in shadow mode, and while the size is set by hand', () => {
    expect(new Policy(4, { mode: 'shadow' }, wants(8)).feed({}, 5)).toMatchObject({ target: 4, last: { wanted: 8, to: 4 } })
    expect(new Policy(4, {}, { byHand: true, ...wants(8) }).feed({}, 5)).toMatchObject({ target: 4, last: { wanted: 8, to: 4 } })
  })

  test('law: whatever it wants, the fleet stays between floor and ceiling and within the container', () => {
    fc.assert(
      fc.property(fc.array(fc.anything(), { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 10 }), (answers, carried) => {
        const policy = new Policy(2, {}, { min: 2, max: 8, ceiling: { workers: Math.max(2, carried), because: () => '' } })
        for (const answer of answers) {
          const understood = readAnswer(answer)
          Object.assign(policy.fields, { advice: understood.kind === 'advice' ? understood.advice : null })
          policy.feed({}, 1)
          expect(policy.target).toBeGreaterThanOrEqual(2)
          expect(policy.target).toBeLessThanOrEqual(Math.min(8, Math.max(2, carried)))
        }
      }),
      { numRuns: 200 },
    )
  })
})
