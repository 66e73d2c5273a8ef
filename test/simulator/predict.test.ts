import { expect, test } from 'vitest'
import { fleetSettings } from '../fleet/driver.ts'
import { calmScenario, simulate } from './runs.ts'

/** Ticks at which somebody waited longer than a request takes, on a ramp that a fleet whose workers boot for 8 s has to follow. */
function slowTicks(predict: boolean): { slow: number; decisions: string[]; broken: string[] } {
  const load = [
    { atMs: 0, requestsPerSecond: 40 },
    { atMs: 30_000, requestsPerSecond: 40 },
    { atMs: 210_000, requestsPerSecond: 1200 },
  ]
  const scenario = { ...calmScenario, load, worker: { ...calmScenario.worker, bootMs: 8000 }, host: { cpus: 10, memoryBytes: 1e10 } }
  const { turns, broken } = simulate(fleetSettings({ scaling: { predict } }), scenario, 240_000)
  const slow = turns.filter(({ event, fleet }) => event.kind === 'sampled' && fleet.workers.some(({ report }) => (report?.queue ?? 0) > 40)).length
  return { slow, decisions: turns.flatMap(({ notes }) => notes.flatMap((note) => (note.kind === 'fleet:scaled' ? [note.reason] : []))), broken }
}

test('on a ramp, with workers that take 8 s to boot, prediction spares people at least half of the slow seconds', () => {
  const [on, off] = [slowTicks(true), slowTicks(false)]
  expect([on.broken, off.broken]).toEqual([[], []])
  expect(off.slow).toBeGreaterThan(0)
  expect(on.slow).toBeLessThanOrEqual(off.slow / 2)
  expect(on.decisions.some((reason) => reason.startsWith('the load rises'))).toBe(true)
})
