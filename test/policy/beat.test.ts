import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { msToNextBeat, type Part } from '../../packages/supervisor/src/policy/beat.ts'

const moment = fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 })
const tick = fc.integer({ min: 100, max: 10_000 })
const part = fc.constantFrom<Part>('report', 'look')

describe('the beat of a fleet', () => {
  it('is the same in every process, whenever it began to count', () => {
    fc.assert(
      fc.property(moment, moment, tick, part, (one, other, tickMs, which) => {
        const beats = [one, other].map((unixMs) => unixMs + msToNextBeat(unixMs, tickMs, which))
        const apart = Math.abs((beats[0] as number) - (beats[1] as number)) / tickMs
        expect(Math.abs(apart - Math.round(apart))).toBeLessThan(1e-3)
      }),
    )
  })

  it('comes after a quarter of a tick at the soonest and after five quarters at the latest', () => {
    fc.assert(
      fc.property(moment, tick, part, (unixMs, tickMs, which) => {
        const waitMs = msToNextBeat(unixMs, tickMs, which)
        expect(waitMs).toBeGreaterThanOrEqual(tickMs * 0.249)
        expect(waitMs).toBeLessThanOrEqual(tickMs * 1.251)
      }),
    )
  })

  it('lets workers report before the primary looks', () => {
    const reportAtMs = 1_700_000_000_000 + msToNextBeat(1_700_000_000_000, 1000, 'report')
    expect(msToNextBeat(reportAtMs, 1000, 'look')).toBeCloseTo(300, 3)
  })
})
