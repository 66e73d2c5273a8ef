import { describe, expect, it } from 'vitest'
import { beat } from '../../packages/supervisor/src/policy/share.ts'
import { storm } from './share-storm.ts'

/** So many by chance; `SHARE_SEEDS=1000` for a long look. */
const SEEDS = Array.from({ length: Number(process.env['SHARE_SEEDS'] ?? 60) }, (_, index) => index + 1)

describe('replicas that share a budget', () => {
  it('never have one connection too many, whatever is lost, late, cut, flushed, restored from an old copy, paused, killed or jumps in time', {
    timeout: 600_000,
  }, () => {
    for (const seed of SEEDS) {
      const { most, limit, inUse, faults } = storm({ seed, steps: 3000 })
      expect({ seed, isWithin: most <= limit }).toEqual({ seed, isWithin: true })
      expect(faults).toBeGreaterThan(3)
      expect({ seed, isUsed: inUse >= 0.9 * limit }).toEqual({ seed, isUsed: true })
    }
  })

  it('lend nobody the floor of one that was never told of it: it may have taken it by right since', () => {
    const part = { available: 18, floor: 9, replicas: 2, wants: 100, granted: 0, held: 0 }
    const turn = { keeper: 'k', newEpoch: 'e', says: null, sweep: null, leaves: false, seenVersion: 0 }
    const newcomer = { sequence: 3, expiresAtMs: 5000, says: null, part: { ...part, wants: 0, granted: -9, held: -9 } }
    const known = { epoch: 'e', version: 1, keeper: 'k', calmUntilMs: 0, isSwept: true, members: { newcomer } }
    const { members } = beat(known, { ...turn, member: 'other', sequence: 1, nowMs: 20_000, part })
    expect(members['other']?.part?.granted).toBe(0)
    const lender = { sequence: 3, expiresAtMs: 5000, says: null, part: { ...part, available: 40, replicas: 3, granted: 3, held: 3 } }
    const late = beat(
      { ...known, members: { newcomer: { ...newcomer, part: { ...newcomer.part, available: 40 } }, lender } },
      { ...turn, member: 'other', sequence: 1, nowMs: 20_000, part: lender.part },
    )
    // 40 less three floors and what the lender holds.
    expect(late.members['other']?.part?.held).toBe(10)
  })

  describe('are found out by that storm', () => {
    const breaks = (options: Partial<Parameters<typeof storm>[0]>): boolean =>
      SEEDS.some((seed) => {
        const { most, limit } = storm({ seed, steps: 3000, ...options })
        return most > limit
      })

    it('when one goes on with what it was lent after its time', () => {
      expect(breaks({ neverEnds: true })).toBe(true)
    })

    it('when what the database shows is believed before the time is over', () => {
      expect(breaks({ beat: (known, input) => beat(known && { ...known, isSwept: true }, input) })).toBe(true)
    })

    it('when an old copy is believed', () => {
      expect(breaks({ beat: (known, input) => beat(known && { ...known, keeper: input.keeper }, { ...input, seenVersion: 0 }) })).toBe(true)
    })

    it('when what was forgotten is not looked for', () => {
      expect(
        breaks({ beat: (known, input) => beat(known, input.sweep === null ? input : { ...input, sweep: { ...input.sweep, connections: {} } }) }),
      ).toBe(true)
    })

    it('when a shrink counts before it is confirmed', () => {
      expect(
        breaks({
          beat: (known, input) => beat(known, input.part === null ? input : { ...input, part: { ...input.part, held: input.part.granted } }),
        }),
      ).toBe(true)
    })
  })
})
