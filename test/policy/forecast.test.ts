import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Trend, advanceTrend, forecastOf } from '../../packages/supervisor/src/policy/forecast.ts'
import { decide, untouched } from '../../packages/supervisor/src/policy/scale.ts'
import { createRandom } from '../../packages/supervisor/src/simulator/random.ts'
import { Policy, middling, signalsOf } from './policy.ts'
import { defaultScaling } from './settings.ts'

/** The total after each second, fed to a trend. */
const trendOf = (totals: readonly (number | null)[]): Trend | null =>
  totals.reduce<Trend | null>((trend, total) => advanceTrend(trend, total, 1000), null)

const rising = (seconds: number, perSecond: number, from = 0.2): number[] => Array.from({ length: seconds }, (_, second) => from + second * perSecond)

describe('a trend', () => {
  test('of a steady rise foretells it, and more the further it looks', () => {
    const trend = trendOf(rising(60, 0.02))
    expect(forecastOf(trend, 10_000)).toBeCloseTo(1.38 + 0.2, 1)
    expect(forecastOf(trend, 20_000)).toBeCloseTo(1.38 + 0.4, 1)
  })

  test('foretells nothing of a load that rests or falls, nor before it was watched for a while', () => {
    expect(forecastOf(trendOf(rising(60, 0)), 60_000)).toBeNull()
    expect(forecastOf(trendOf(rising(60, -0.02, 2)), 60_000)).toBeNull()
    expect(forecastOf(trendOf(rising(10, 0.1)), 10_000)).toBeNull()
    expect(forecastOf(trendOf(rising(11, 0.1)), 10_000)).not.toBeNull()
    expect(forecastOf(null, 10_000)).toBeNull()
  })

  test('ends with a value that is not known: what happened meanwhile nobody can tell', () => {
    expect(trendOf([...rising(60, 0.02), null])).toBeNull()
    expect(forecastOf(trendOf([...rising(60, 0.02), null, ...rising(5, 0.5)]), 10_000)).toBeNull()
  })

  test('whatever comes, it is a number, and never foretells less than there is', () => {
    const totals = fc.array(fc.oneof(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.constant(null)), { maxLength: 100 })
    fc.assert(
      fc.property(totals, fc.integer({ min: 0, max: 60_000 }), (values, horizonMs) => {
        const trend = trendOf(values)
        const forecast = forecastOf(trend, horizonMs)
        if (forecast !== null) expect(forecast).toBeGreaterThan((trend as Trend).level)
        if (trend) expect(Number.isFinite(trend.level + trend.slopePerMs)).toBe(true)
      }),
    )
  })
})

/** CPU of one worker's worth that rises by one in a hundred a second, shared by however many there are. */
function ramp(settings: Parameters<typeof newRamp>[0], bootMs: number | null): { growsAtS: number; policy: Policy } {
  const policy = newRamp(settings, bootMs)
  for (let second = 0; second < 200; second++) {
    policy.tick(signalsOf({ ...middling, cpu: (0.1 + second * 0.01) / policy.target }))
    if (policy.target > 1) return { growsAtS: second, policy }
  }
  return { growsAtS: Number.POSITIVE_INFINITY, policy }
}
const newRamp = (settings: Partial<typeof defaultScaling>, bootMs: number | null): Policy => new Policy(1, { surge: null, ...settings }, { bootMs })

describe('with scaling.predict', () => {
  test('a worker is forked before the load needs it, the earlier the longer it boots', () => {
    const [without, quick, slow] = [ramp({}, 8000), ramp({ predict: true }, 8000), ramp({ predict: true }, 30_000)].map(({ growsAtS }) => growsAtS)
    // 70 % are reached after 60 s, and have held for their window after 120 s.
    expect(without).toBeGreaterThanOrEqual(118)
    expect(quick).toBeLessThan(60)
    expect(slow).toBeLessThan(quick as number)
  })

  test('the decision tells what is expected, and that it is', () => {
    const [decision] = ramp({ predict: true }, 8000).policy.changes()
    expect(decision).toMatchObject({ from: 1, to: 2, lane: 'forecast', heldBackBy: [] })
    expect(decision?.reason).toMatch(/^the load rises; when a worker forked now could serve: cpu 7\d(\.\d)? % above 70 % for 3 s$/)
    expect(decision?.signals['cpu']?.value).toBeGreaterThan(0.7)
  })

  test('nothing is foretold before the first boot was measured', () => {
    expect(ramp({ predict: true }, null).growsAtS).toBe(ramp({}, null).growsAtS)
  })

  test('the capacity guard and rates hold a forecast back like everything else', () => {
    const ceiling = { workers: 1, because: () => '1 CPU (host) carries 1 worker' }
    const policy = new Policy(1, { predict: true, surge: null }, { bootMs: 8000, ceiling })
    for (let second = 0; second < 58; second++) policy.tick(signalsOf({ ...middling, cpu: 0.1 + second * 0.01 }))
    expect(policy.target).toBe(1)
    expect(policy.told[0]).toMatchObject({ lane: 'forecast', to: 1, wanted: 2 })
    expect(policy.told[0]?.heldBackBy[0]).toContain('capacity: 1 CPU (host)')
  })

  const value = fc.option(fc.double({ min: 0, max: 2, noNaN: true }), { nil: null })
  const loads = fc.array(fc.record({ cpu: value, eventLoopUtilization: value, queue: fc.double({ min: 0, max: 400, noNaN: true }) }), {
    minLength: 15,
    maxLength: 120,
  })

  test('law: with the same past, a forecast never leads to fewer workers than there would be without it', () => {
    fc.assert(
      fc.property(loads, fc.integer({ min: 1, max: 8 }), fc.integer({ min: 100, max: 60_000 }), (ticks, target, bootMs) => {
        let state = untouched
        ticks.forEach((values, second) => {
          const limits = { min: 1, max: 10, ceiling: { workers: 10, because: () => '' }, byHand: false, advice: null }
          const input = {
            nowMs: second * 1000,
            intervalMs: 1000,
            signals: signalsOf(values),
            target,
            ready: target,
            serving: target,
            bootMs,
            busiest: null,
            others: null,
            ...limits,
          }
          const [on, off] = [true, false].map((predict) => decide(state, input, { ...defaultScaling, predict }))
          expect(on?.decision.wanted).toBeGreaterThanOrEqual(off?.decision.wanted as number)
          state = on?.state ?? state
        })
      }),
      { numRuns: 50 },
    )
  })

  test('law: while the load never rises, it changes nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 0.05, noNaN: true }), { minLength: 20, maxLength: 600 }), (falls) => {
        const policies = [true, false].map((predict) => new Policy(6, { predict, surge: null }, { bootMs: 20_000 }))
        let total = 5
        for (const fall of falls) {
          total = Math.max(0, total - fall)
          for (const policy of policies) {
            const mean = total / policy.target
            policy.tick(signalsOf({ cpu: mean, eventLoopUtilization: mean, queue: mean, memory: 0.1, p95: 0, eventLoopDelay: 0 }))
          }
        }
        expect(policies[0]?.changes()).toEqual(policies[1]?.changes())
      }),
      { numRuns: 50 },
    )
  })

  test('noise is no rise', () => {
    const random = createRandom(7)
    const policy = new Policy(4, { predict: true, surge: null }, { bootMs: 4000 })
    for (let second = 0; second < 20_000; second++) {
      const cpu = 0.35 + 0.3 * random.next()
      policy.tick(signalsOf({ ...middling, cpu, eventLoopUtilization: cpu }))
    }
    expect(policy.changes()).toEqual([])
  })
})
