import type { FleetSettings } from '../fleet/fleet.ts'
import { leastBudget, planBudget } from '../policy/budget-plan.ts'
import { STANDARD } from './plan.ts'
import { type Random, createRandom } from './random.ts'
import { FAULT_KINDS, type Fault, type FaultKind, type OperatorRequest, type Scenario } from './scenario.ts'

/** A fleet and what happens to it. */
export interface Life {
  readonly settings: FleetSettings
  readonly scenario: Scenario
}

/** Faults and requests begin before this; what comes after is time to heal. */
const TROUBLE_ENDS_MS = 120_000
const QUIET_AT_FIRST_MS = 5000
const MOST_FAULTS = 10
const MOST_REQUESTS = 6
const LOAD_POINTS = 5
const MOST_REQUESTS_PER_SECOND = 600
const KINDS = Object.keys(FAULT_KINDS) as FaultKind[]

/** Load, faults and operators by chance; the same seed gives the same life. `base` is the policy to be tried. */
export function randomLife(seed: number, base: FleetSettings): Life {
  const random = createRandom(seed)
  const settings = randomSettings(random, base)
  const at = (): number => QUIET_AT_FIRST_MS + random.below(TROUBLE_ENDS_MS - QUIET_AT_FIRST_MS)
  const faults = Array.from(
    { length: random.below(MOST_FAULTS) },
    (): Fault => ({ atMs: at(), kind: pick(random, KINDS), worker: 'any', forMs: 1000 + random.below(20_000) }),
  )
  const requests = Array.from(
    { length: random.below(MOST_REQUESTS) },
    (_, index): OperatorRequest => ({ atMs: at(), event: randomRequest(random, index + 1, settings) }),
  )
  const load = Array.from({ length: LOAD_POINTS }, (_, index) => ({
    atMs: (index * TROUBLE_ENDS_MS) / (LOAD_POINTS - 1),
    requestsPerSecond: random.below(MOST_REQUESTS_PER_SECOND),
  }))
  const { cpus, memoryBytes } = settings.capacity
  const worker = {
    bootMs: STANDARD.bootMs,
    memoryBytes: 90e6,
    memoryPerRequestBytes: 20_000,
    leakPerRequestBytes: 0,
    gcEveryBytes: 32e6,
    gcPauseMs: 15,
  }
  const surroundings = { host: { cpus, memoryBytes }, database: { concurrency: pick(random, [10, 1000]) } }
  return { settings, scenario: { seed, load, request: { cpuMs: 4, waitMs: 20 }, worker, ...surroundings, faults, requests } }
}

function randomSettings(random: Random, base: FleetSettings): FleetSettings {
  const min = 1 + random.below(3)
  const workers = {
    min,
    max: min + 1 + random.below(6),
    spares: pick(random, ['auto' as const, 0, 1, 2]),
    bootTimeoutMs: pick(random, [5000, 30_000]),
  }
  return {
    ...base,
    database: randomDatabase(random, min),
    workers: { ...base.workers, ...workers },
    capacity: { ...base.capacity, cpus: pick(random, [1, 2, 4, 8]) },
    // So many faults are not the app's: the intensity has its own tests.
    restart: { ...base.restart, intensity: 1000 },
    // Short enough for a reload of overloaded workers, one drain after the other, to end before the run does.
    drain: { ...base.drain, timeoutMs: pick(random, [2000, 8000]) },
    health: { ...base.health, path: pick(random, [null, '/health']), stuckAfterMs: pick(random, [3000, 10_000]) },
    scaling: { ...base.scaling, cooldownUpMs: 10_000, cooldownDownMs: 20_000 },
  }
}

/** Every second life has a database budget, mostly a tight one. */
function randomDatabase(random: Random, minWorkers: number): FleetSettings['database'] {
  const options = { reserve: 3, minPerWorker: 1 + random.below(3), replicas: 1, minWorkers }
  const budget = leastBudget(options) + random.below(pick(random, [4, 12, 60]))
  return random.below(2) === 0 ? planBudget({ ...options, budget }) : null
}

const pick = <Value>(random: Random, values: readonly Value[]): Value => values[random.below(values.length)] as Value

function randomRequest(random: Random, requestId: number, settings: FleetSettings): OperatorRequest['event'] {
  const { database } = settings
  if (database && random.below(4) === 0) return { kind: 'budgetRequested', requestId, budget: leastBudget(database.options) + random.below(40) }
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
