import type { FleetSettings } from '../fleet/fleet.ts'
import { leastBudget, planBudget } from '../policy/budget-plan.ts'
import { STANDARD } from './plan.ts'
import { type Random, createRandom } from './random.ts'
import { FAULTS_OF_REPLICAS, FAULT_KINDS, type Fault, type FaultKind, type OperatorRequest, type Scenario } from './scenario.ts'

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
/** What can happen to replicas that share something. */
const SHARED_KINDS = ['redis-away', 'redis-slow', 'redis-flushed', 'redis-restored', 'paused-primary', 'replica-crash'] as const
const KINDS = (Object.keys(FAULT_KINDS) as FaultKind[]).filter((kind) => !FAULTS_OF_REPLICAS.has(kind))
/** One life in so many is of several replicas, which take as many times as long. */
const SEVERAL_ONE_IN = 16
const MOST_REPLICAS = 4
const SCHEDULE_ONE_IN = 4
/** Far from the seeds that people try. */
const OTHER_SEEDS = 1e9
const SLOWEST_REPLICA_MS = 10_000

/** Load, faults and operators by chance; the same seed gives the same life. `base` is the policy to be tried. */
export function randomLife(seed: number, base: FleetSettings): Life {
  const random = createRandom(seed)
  // By a chance of its own: each seed stays the life that it was.
  const settings = withSchedule(randomSettings(random, base), createRandom(seed + OTHER_SEEDS))
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
  const life = { settings, scenario: { seed, load, request: { cpuMs: 4, waitMs: 20 }, worker, ...surroundings, faults, requests } }
  return random.below(SEVERAL_ONE_IN) === 0 ? ofSeveral(life, random, at) : life
}

/** The same with replicas that share one budget of connections, and with what can happen to them. */
function ofSeveral({ settings, scenario }: Life, random: Random, at: () => number): Life {
  const replicas = 2 + random.below(MOST_REPLICAS - 1)
  const options = { reserve: 3, minPerWorker: 1 + random.below(3), replicas, isShared: true, minWorkers: settings.workers.min }
  // Room for the floors of the smallest fleets and their successors, and for more or less than they want beyond.
  const budget = leastBudget({ ...options, minWorkers: options.minWorkers + 1 }) + random.below(pick(random, [8, 30, 120]))
  const more = Array.from(
    { length: random.below(MOST_FAULTS) },
    (): Fault => ({ atMs: at(), kind: pick(random, SHARED_KINDS), worker: 'any', forMs: 1000 + random.below(20_000) }),
  )
  // What an operator says of the budget, one replica would hear.
  const requests = scenario.requests.filter(({ event }) => event.kind !== 'budgetRequested')
  const model = { min: replicas, max: replicas, bootMs: 1000 + random.below(SLOWEST_REPLICA_MS), follow: false }
  return {
    settings: { ...settings, database: planBudget({ ...options, budget }) },
    // They wait for connections, not for cores alone: so they want what is lent.
    scenario: {
      ...scenario,
      request: { cpuMs: 2, waitMs: pick(random, [20, 200]) },
      faults: [...scenario.faults, ...more],
      requests,
      replicas: model,
    },
  }
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

/** Some lives have hours with a floor or a ceiling of their own; their clock shows midnight at the start. */
function withSchedule(settings: FleetSettings, random: Random): FleetSettings {
  if (random.below(SCHEDULE_ONE_IN) > 0) return settings
  const { min, max } = settings.workers
  const limit = min + random.below(max - min + 1)
  const hours = { cron: `${1 + random.below(2)} 0 * * *`, timezone: 'UTC', until: null, forMs: 60_000 }
  const entry = random.below(2) === 0 ? { ...hours, min: limit, max: null } : { ...hours, min: null, max: limit }
  return { ...settings, scaling: { ...settings.scaling, schedule: [entry] } }
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
