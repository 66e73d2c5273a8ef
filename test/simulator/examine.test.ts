import { expect, test } from 'vitest'
import { examine, shrink } from '../../packages/supervisor/src/simulator/examine.ts'
import { fuzz } from '../../packages/supervisor/src/simulator/fuzz.ts'
import type { Life } from '../../packages/supervisor/src/simulator/random-life.ts'
import type { Fault } from '../../packages/supervisor/src/simulator/scenario.ts'
import { fleetSettings } from '../fleet/driver.ts'
import { neverHeals } from './mutants.ts'
import { calmScenario } from './runs.ts'

const crash: Fault = { atMs: 70_000, kind: 'crash', worker: 'any', forMs: 1000 }
const settings = fleetSettings({ restart: { intensity: 1000 } })

function lifeWith(...faults: Fault[]): Life {
  const requests = [{ atMs: 30_000, event: { kind: 'reloadRequested', requestId: 1 } }] as const
  return { settings, scenario: { ...calmScenario, load: [...calmScenario.load, { atMs: 9000, requestsPerSecond: 90 }], faults, requests } }
}

test('a life that does not heal is told, with its last steps', () => {
  const verdict = examine(lifeWith(crash), neverHeals)
  expect(verdict.broken.join()).toContain('after all faults have ended')
  expect(verdict.transcript.length).toBeGreaterThan(0)
  expect(examine(lifeWith(crash)).broken).toEqual([])
})

test('what a broken life does not need is taken out of it', () => {
  const slow: Fault = { atMs: 20_000, kind: 'slow-boot', worker: 'any', forMs: 5000 }
  const { scenario } = shrink(lifeWith(slow, crash), neverHeals)
  expect(scenario.faults).toEqual([crash])
  expect(scenario.requests).toEqual([])
  expect(scenario.load).toHaveLength(1)
})

test('a search counts seeds and steps, each seed once, and finds nothing where nothing is', () => {
  const [all, even, odd] = [
    fuzz({ base: settings, first: 1, count: 6, stride: 1 }),
    fuzz({ base: settings, first: 1, count: 6, stride: 2 }),
    fuzz({ base: settings, first: 2, count: 5, stride: 2 }),
  ]
  expect(all).toMatchObject({ seeds: 6, found: null })
  expect(even.seeds + odd.seeds).toBe(6)
  expect(even.steps + odd.steps).toBe(all.steps)
})
