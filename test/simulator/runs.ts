import type { FleetSettings } from '../../packages/supervisor/src/fleet/fleet.ts'
import { brokenInvariants } from '../../packages/supervisor/src/fleet/invariants.ts'
import { Checkers } from '../../packages/supervisor/src/simulator/checkers.ts'
import { type Random, createRandom } from '../../packages/supervisor/src/simulator/random.ts'
import type { Fault, OperatorRequest, Scenario } from '../../packages/supervisor/src/simulator/scenario.ts'
import { type Turn, World } from '../../packages/supervisor/src/simulator/world.ts'
import { MB, fleetSettings } from '../fleet/driver.ts'

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

/** What a run came to: every rule that was broken, and the last of what happened, to be read when one was. */
export interface Run {
  readonly world: World
  readonly checkers: Checkers
  readonly broken: string[]
  readonly turns: Turn[]
}

export function simulate(settings: FleetSettings, scenario: Scenario, untilMs: number): Run {
  const checkers = new Checkers(settings)
  const broken: string[] = []
  const turns: Turn[] = []
  const world = new World(settings, scenario, 0, (turn) => {
    // The first step that breaks a rule tells the most; what follows from it does not.
    if (broken.length > 0) return
    turns.push(turn)
    broken.push(...checkers.after(turn), ...brokenInvariants(turn.fleet))
    if (broken.length > 0)
      broken.push(
        `its fleet: ${JSON.stringify(turn.fleet.workers.map(({ id, slot, life, replaces, stuckAtMs }) => ({ id, slot, life, replaces, stuckAtMs })))}`,
      )
  })
  world.run(untilMs)
  return { world, checkers, broken, turns }
}

export function transcript({ turns }: Run): string {
  const told = turns.flatMap(({ event, commands, notes }) => [
    ...(event.kind === 'sampled' || event.kind === 'woken' ? [] : [`${event.nowMs} ${JSON.stringify(event)}`]),
    ...commands.map((command) => `${event.nowMs}   -> ${JSON.stringify(command)}`),
    ...notes
      .filter((note) => note.kind.startsWith('fleet') || note.kind.startsWith('reload'))
      .map((note) => `${event.nowMs}   .. ${JSON.stringify(note)}`),
  ])
  return told.slice(-60).join('\n')
}

/** Faults and requests end here; what comes after is time to heal. */
const TROUBLE_ENDS_MS = 120_000
const FAULTS = ['crash', 'crash', 'hang', 'boot-crash', 'slow-boot', 'drop-reports'] as const

export function randomRun(seed: number): { settings: FleetSettings; scenario: Scenario } {
  const random = createRandom(seed)
  const pick = <Value>(values: readonly Value[]): Value => values[random.below(values.length)] as Value
  const min = 1 + random.below(3)
  const settings = fleetSettings({
    workers: { min, max: min + 1 + random.below(6), spares: pick(['auto' as const, 0, 1, 2]), bootTimeoutMs: pick([5000, 30_000]) },
    capacity: { cpus: pick([1, 2, 4, 8]) },
    // So many faults are not the app's: the intensity has its own tests.
    restart: { intensity: 1000 },
    // Short enough for a reload of overloaded workers, one drain after the other, to end before the run does.
    drain: { timeoutMs: pick([2000, 8000]) },
    health: { path: pick([null, '/health']), stuckAfterMs: pick([3000, 10_000]) },
    scaling: { cooldownUpMs: 10_000, cooldownDownMs: 20_000 },
  })
  const at = (): number => 5000 + random.below(TROUBLE_ENDS_MS - 5000)
  const faults = Array.from(
    { length: random.below(10) },
    (): Fault => ({ atMs: at(), kind: pick(FAULTS), worker: 'any', forMs: 1000 + random.below(20_000) }),
  )
  const requests = Array.from(
    { length: random.below(6) },
    (_, index): OperatorRequest => ({ atMs: at(), event: randomRequest(random, index + 1, settings) }),
  )
  const load = Array.from({ length: 5 }, (_, index) => ({ atMs: index * 30_000, requestsPerSecond: random.below(600) }))
  const scenario = {
    ...calmScenario,
    seed,
    load,
    faults,
    requests,
    host: { cpus: settings.capacity.cpus, memoryBytes: settings.capacity.memoryBytes },
  }
  return { settings, scenario }
}

function randomRequest(random: Random, requestId: number, settings: FleetSettings): OperatorRequest['event'] {
  switch (random.below(4)) {
    case 0:
      return { kind: 'scaleRequested', requestId, workers: 1 + random.below(settings.workers.max) }
    case 1:
      return { kind: 'scaleRequested', requestId, workers: 'auto' }
    case 2:
      return { kind: 'drainRequested', requestId, workerId: 1 + random.below(8) }
    default:
      return { kind: 'reloadRequested', requestId }
  }
}
