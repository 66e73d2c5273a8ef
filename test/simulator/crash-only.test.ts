import { expect, test } from 'vitest'
import { planBudget } from '../../packages/supervisor/src/policy/budget-plan.ts'
import { createArrivals } from '../../packages/supervisor/src/simulator/arrivals.ts'
import { examine } from '../../packages/supervisor/src/simulator/examine.ts'
import { Judge } from '../../packages/supervisor/src/simulator/judge.ts'
import { createRandom } from '../../packages/supervisor/src/simulator/random.ts'
import type { Scenario } from '../../packages/supervisor/src/simulator/scenario.ts'
import { World } from '../../packages/supervisor/src/simulator/world.ts'
import { fleetSettings } from '../fleet/driver.ts'
import { calmScenario } from './runs.ts'

const LIFE_MS = 60_000
/** The platform starts the supervisor again after so long. */
const DOWN_MS = 1000
const HEALED_WITHIN_MS = 90_000

/** Boots, growth, a crash, a reload and a hand: all kinds of moments to die in. */
const scenario: Scenario = {
  ...calmScenario,
  load: [
    { atMs: 0, requestsPerSecond: 50 },
    { atMs: 20_000, requestsPerSecond: 500, step: true },
  ],
  faults: [{ atMs: 15_000, kind: 'crash', worker: 'any', forMs: 0 }],
  requests: [
    { atMs: 30_000, event: { kind: 'reloadRequested', requestId: 1 } },
    { atMs: 45_000, event: { kind: 'scaleRequested', requestId: 2, workers: 2 } },
  ],
}
const settings = fleetSettings({ workers: { min: 2, max: 6, spares: 1 }, restart: { intensity: 1000 }, drain: { timeoutMs: 3000 } })

/** The same machine and load, a life of its own. */
function born(lived: Scenario, atMs: number, see: ConstructorParameters<typeof World>[3]): World {
  return new World(settings, lived, 0, see, {}, { atMs, backends: null, arrivals: createArrivals(lived.load, createRandom(2)) })
}

/** What is broken in a life that begins after the one before it was killed right after its event number `index`; null where that one had fewer. */
function afterDeathAt(index: number): readonly string[] | null {
  let events = 0
  const first = born(scenario, 0, ({ atMs }) => {
    if (events++ === index) first.die(atMs)
  })
  first.run(LIFE_MS)
  if (!first.ended) return null
  const judge = new Judge(settings)
  const broken: string[] = []
  const atMs = first.nowMs + DOWN_MS
  const second = born({ ...scenario, faults: [], requests: [] }, atMs, (turn) => void broken.push(...judge.after(turn)))
  second.run(atMs + HEALED_WITHIN_MS)
  return [...broken, ...judge.atRest(second)]
}

test('whatever event a supervisor is killed after, the next one breaks no rule and heals', () => {
  let events = 0
  for (let broken = afterDeathAt(events); broken !== null; broken = afterDeathAt(events)) {
    expect([`killed after event ${events}`, ...broken].join('\n')).toBe(`killed after event ${events}`)
    events++
  }
  expect(events).toBeGreaterThan(LIFE_MS / settings.tickMs)
})

test('in whatever second one of three replicas is killed, what they share is never more than there is, and the next one has its part', () => {
  const database = planBudget({ budget: 43, reserve: 3, minPerWorker: 2, replicas: 3, isShared: true, minWorkers: 2 })
  const replicas = { min: 3, max: 3, bootMs: DOWN_MS, follow: false }
  const request = { cpuMs: 2, waitMs: 100 }
  for (let atMs = 1000; atMs <= LIFE_MS; atMs += 1000) {
    const faults = [...scenario.faults, { atMs, kind: 'replica-crash', worker: 'any', forMs: 0 } as const]
    const { broken } = examine({ settings: { ...settings, database }, scenario: { ...scenario, request, replicas, faults } })
    expect([`killed at ${atMs} ms`, ...broken].join('\n')).toBe(`killed at ${atMs} ms`)
  }
}, 300_000)
