import type { FleetSettings } from '../../packages/supervisor/src/fleet/fleet.ts'
import { brokenInvariants } from '../../packages/supervisor/src/fleet/invariants.ts'
import { Checkers } from '../../packages/supervisor/src/simulator/checkers.ts'
import type { Scenario } from '../../packages/supervisor/src/simulator/scenario.ts'
import type { Turn } from '../../packages/supervisor/src/simulator/turn.ts'
import { World } from '../../packages/supervisor/src/simulator/world.ts'
import { MB } from '../fleet/driver.ts'

export const calmScenario: Scenario = {
  seed: 1,
  load: [{ atMs: 0, requestsPerSecond: 20 }],
  request: { cpuMs: 4, waitMs: 20 },
  worker: { bootMs: 1500, memoryBytes: 90 * MB, memoryPerRequestBytes: 20_000, leakPerRequestBytes: 0, gcEveryBytes: 40 * MB, gcPauseMs: 20 },
  host: { cpus: 8, memoryBytes: 8000 * MB },
  database: { concurrency: 1000 },
  faults: [],
  requests: [],
}

/** What a run came to: every rule that was broken, and all that happened until then. */
export interface Run {
  readonly world: World
  readonly broken: string[]
  readonly turns: Turn[]
}

export function simulate(settings: FleetSettings, scenario: Scenario, untilMs: number): Run {
  const checkers = new Checkers(settings)
  const broken: string[] = []
  const turns: Turn[] = []
  const world = new World(settings, scenario, 0, (turn) => {
    if (broken.length > 0) return
    turns.push(turn)
    broken.push(...checkers.after(turn), ...brokenInvariants(turn.fleet))
  })
  world.run(untilMs)
  return { world, broken, turns }
}
