import fc from 'fast-check'
import { expect, test } from 'vitest'
import { shrinkStep } from '../../packages/supervisor/src/policy/give-back.ts'
import { Policy, middling, quiet } from './policy.ts'

const surge = { eventLoopUtilization: 1, queue: 900 }

test('what a surge added goes at once when all has been quiet for the whole windows, and the reason says so', () => {
  const policy = new Policy(1).feed(surge, 6)
  expect(policy.target).toBe(8)
  policy.feed(middling, 600).feed(quiet, 299)
  expect(policy.target).toBe(8)
  policy.feed(quiet, 1)
  // 8 × 0.05 is 2 × 0.2: one alone would have more than 30 %.
  expect(policy.target).toBe(2)
  expect(policy.told.at(-1)?.reason).toMatch(/; what a surge added goes at once, as far as it stays quiet$/)
})

test('what windows added leaves step by step', () => {
  const policy = new Policy(1, { surge: null, cooldownUpMs: 0 }).feed({ cpu: 1.4 }, 120)
  const grown = policy.target
  expect(grown).toBeGreaterThan(2)
  expect(policy.feed(quiet, 300).target).toBe(grown - 1)
})

test('only so many go that those who stay are quiet as well', () => {
  const policy = new Policy(1).feed(surge, 6).feed({ ...quiet, cpu: 0.1 }, 300)
  // 8 × 0.1 is 3 × 0.27: with two, cpu would be above 30 %.
  expect(policy.target).toBe(3)
})

test('a size that was given by hand is nobody’s surge', () => {
  const policy = new Policy(4).feed(quiet, 300)
  expect(policy.target).toBe(3)
})

test('a rate of shrinking holds it back', () => {
  const policy = new Policy(1, { rateDown: { workers: 2, perMs: 600_000 } }).feed(surge, 6).feed(quiet, 300)
  expect(policy.target).toBe(6)
  expect(policy.told.at(-1)?.heldBackBy[0]).toContain('rate.down')
})

test('whatever the readings, the step is at least the configured one, never lets the last worker go and never more than surges added', () => {
  const reading = fc.record({ value: fc.double({ min: 0, max: 0.3, noNaN: true }), threshold: fc.constant(0.3), heldForMs: fc.constant(300_000) })
  const readings = fc.record({ cpu: reading, eventLoopUtilization: reading, queue: reading })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 0, max: 64 }), readings, (target, surged, values) => {
      const step = shrinkStep(target, surged, values, 1)
      expect(step).toBeGreaterThanOrEqual(1)
      if (step === 1) return
      expect(step).toBeLessThanOrEqual(Math.min(surged, target - 1))
      for (const { value, threshold } of Object.values(values)) expect((value * target) / (target - step)).toBeLessThanOrEqual(threshold + 1e-9)
    }),
  )
})

test('a backlog in front of loops that have time left orders one worker at a time; full loops, or a threshold of the user, order in proportion', () => {
  const backlog = { queue: 900, eventLoopUtilization: 0.6 }
  expect(new Policy(3).feed(backlog, 2).target).toBe(4)
  expect(new Policy(3).feed({ ...backlog, eventLoopUtilization: 0.9 }, 2).target).toBe(6)
  expect(new Policy(3, { heldWhileIdle: [] }).feed(backlog, 2).target).toBe(6)
})
