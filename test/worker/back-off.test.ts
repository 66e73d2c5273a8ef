import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createRandom } from '../../packages/supervisor/src/simulator/random.ts'
import { BackOff } from '../../packages/supervisor/src/worker/back-off.ts'

const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
const WORKERS = 4

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** The workers of a replica, whose words reach all others at once. */
function replica(): BackOff[] {
  const all: BackOff[] = []
  for (let worker = 0; worker < WORKERS; worker++) {
    const share: ConstructorParameters<typeof BackOff>[0]['share'] = (outage) => {
      for (const other of all) if (other !== backOff) other.heard(outage)
    }
    const backOff = new BackOff({ onOver: () => {}, share })
    all.push(backOff)
  }
  return all
}

/** Everybody wants to connect all the time; each attempt lasts so long and ends like this. Answers when attempts began. */
function attempts(backOffs: readonly BackOff[], turnsMs: number, { lastMs, isBack }: { lastMs: number; isBack(): boolean }): number[] {
  const began: number[] = []
  for (const endMs = performance.now() + turnsMs; performance.now() < endMs; vi.advanceTimersByTime(1))
    for (const backOff of backOffs) {
      if (backOff.refuse() !== null) continue
      began.push(performance.now())
      setTimeout(() => (isBack() ? backOff.succeeded() : backOff.failed(refused)), lastMs)
    }
  return began
}

describe('a back-off', () => {
  it('lets one try after the pause, and the others fail with the same error', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    const backOff = new BackOff({ onOver: () => {}, share: () => {} })
    expect(backOff.refuse()).toBeNull()
    backOff.failed(refused)
    vi.advanceTimersByTime(24)
    expect(backOff.refuse()).toBe(refused)
    vi.advanceTimersByTime(1)
    expect(backOff.refuse()).toBeNull()
    expect(backOff.refuse()).toBe(refused)
    backOff.failed(refused)
    vi.advanceTimersByTime(49)
    expect(backOff.refuse()).toBe(refused)
    vi.advanceTimersByTime(1)
    expect(backOff.refuse()).toBeNull()
    backOff.succeeded()
    expect([backOff.refuse(), backOff.refuse()]).toEqual([null, null])
  })

  it('is one for the whole replica: four workers together try about as often as one alone', () => {
    const count = (backOffs: readonly BackOff[], seed: number): number => {
      const { next } = createRandom(seed)
      vi.spyOn(Math, 'random').mockImplementation(next)
      for (const backOff of backOffs) backOff.failed(refused)
      return attempts(backOffs, 10_000, { lastMs: 0, isBack: () => false }).length
    }
    const seeds = [1, 2, 3, 4]
    const together = seeds.map((seed) => count(replica(), seed))
    const alone = seeds.map((seed) => count(replica().slice(0, 1), seed))
    const strangers = seeds.map((seed) =>
      count(
        Array.from({ length: WORKERS }, () => replica()[0] as BackOff),
        seed,
      ),
    )
    for (const [index, tries] of together.entries()) {
      expect(tries).toBeLessThan(2 * (alone[index] as number))
      expect(strangers[index]).toBeGreaterThan(3 * (alone[index] as number))
      expect(tries).toBeGreaterThan(10)
    }
  })

  it('tries again within 2 s after the server is back, whatever went before, and then lets everybody in', () => {
    const lives = fc.record({
      awayMs: fc.integer({ min: 1, max: 8000 }),
      lastMs: fc.constantFrom(0, 3, 400, 30_000),
      chance: fc.double({ min: 0, max: 0.999, noNaN: true }),
    })
    fc.assert(
      fc.property(lives, ({ awayMs, lastMs, chance }) => {
        vi.spyOn(Math, 'random').mockReturnValue(chance)
        const all = replica()
        for (const backOff of all) backOff.failed(refused)
        attempts(all, awayMs, { lastMs, isBack: () => false })
        const backAtMs = performance.now()
        const [first] = attempts(all, 2000, { lastMs: 0, isBack: () => true })
        expect((first ?? Number.POSITIVE_INFINITY) - backAtMs).toBeLessThanOrEqual(2000)
        // What began while it was away and hangs still fails; that it is back is known by then.
        if (lastMs <= 3) expect(all.map((backOff) => backOff.refuse())).toEqual([null, null, null, null])
      }),
      { numRuns: 25 },
    )
  })
})
