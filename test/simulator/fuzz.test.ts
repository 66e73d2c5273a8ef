import { expect, test } from 'vitest'
import { fuzz } from '../../packages/supervisor/src/simulator/fuzz.ts'
import { randomLife } from '../../packages/supervisor/src/simulator/random-life.ts'
import { fleetSettings } from '../fleet/driver.ts'
import { MUTANTS } from './mutants.ts'

const base = fleetSettings()
/** Within so many lives each of them must be found. */
const SEEDS = 20

test.for(MUTANTS)('a core that %s is found within a few seeds, shrunk, and found again by its seed', ([, core, sentence]) => {
  const { found, seeds } = fuzz({ base, first: 1, count: SEEDS, stride: 1 }, core)
  if (!found) throw new Error(`${seeds} seeds did not find it`)
  expect(found.verdict.broken.join('\n')).toContain(sentence)
  expect(found.verdict.transcript.length).toBeGreaterThan(0)
  const { faults, requests, load } = randomLife(found.seed, base).scenario
  const sizes = [found.smallest, { faults, requests, load }].map((each) => each.faults.length + each.requests.length + each.load.length)
  expect(sizes[0]).toBeLessThan(sizes[1] as number)
  expect(fuzz({ base, first: found.seed, count: 1, stride: 1 }, core).found).toEqual(found)
})
