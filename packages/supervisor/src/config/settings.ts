import { replicasOf } from './replicas.ts'
import type { PolicyFunction } from '../policy/advice.ts'
import { type DatabasePlan, planBudget } from '../policy/budget-plan.ts'
import type { Prices } from '../policy/cost.ts'
import type { Capacity } from '../policy/sample.ts'
import type {
  DrainSettings,
  HealthSettings,
  RebalanceSettings,
  RestartSettings,
  ScalingSettings,
  SurgeSettings,
  Trigger,
  WorkerSettings,
} from '../policy/settings.ts'
import type { Address } from './address.ts'
import { resolvePath } from './path.ts'
import { stopDeadlineMs } from './platform.ts'
import type { Environment, Reading } from './read.ts'
import { signalNames } from './rows-scaling.ts'
import { table } from './table.ts'
import type { Balance, SessionEngine, Side, Sticky, SurgeValue, Values } from './values.ts'

/** What the fleet's own decisions need. */
interface FleetPart {
  readonly workers: WorkerSettings
  readonly scaling: ScalingSettings
  readonly health: HealthSettings
  readonly restart: RestartSettings
  readonly drain: DrainSettings
  readonly capacity: Capacity
  readonly database: DatabasePlan | null
  readonly rebalance: RebalanceSettings | null
  readonly prices: Prices
  /** Time between two samples of every worker. */
  readonly tickMs: number
}

/** How replicas forward requests to each other. */
interface ReplicaPart {
  readonly listen: Address
  /** Null: to be found out. */
  readonly address: Address | null
  readonly secret: string
}

/** Everything the supervisor needs to know, complete and checked: milliseconds, bytes, absolute paths. */
export interface Settings {
  readonly app: {
    readonly entry: string
    readonly args: readonly string[]
    readonly execArgv: readonly string[]
    readonly env: Readonly<Record<string, string>>
  }
  readonly fleet: FleetPart
  /** Apart from the others of its kind: a function is nothing that could be written down. */
  readonly policy: PolicyFunction | null
  readonly routing: {
    readonly balance: Balance
    readonly engine: SessionEngine
    readonly sticky: Sticky
    readonly trustedProxies: readonly string[]
  }
  readonly database: {
    readonly budget: number | null
    readonly reserve: number
    readonly minPerWorker: number
    readonly replicas: number
    readonly terminateOrphans: boolean
    readonly url: string | null
  }
  /** Null: this replica is alone. */
  readonly redis: { readonly url: string; readonly key: string | null } | null
  /** Null: replicas do not forward to each other. */
  readonly replica: ReplicaPart | null
  readonly control: { readonly socket: string }
  readonly admin: Address | null
  readonly journal: { readonly file: string | null; readonly maxBytes: number }
  readonly cost: Prices
  readonly log: 'json' | 'pretty'
}

/** Where and on what the supervisor runs. */
export interface Surroundings {
  /** Absolute: relative paths of options are seen from here. */
  readonly baseFolder: string
  /** Where the command was typed, if that is another folder: commands look for the usual control socket there. */
  readonly workingFolder?: string
  readonly environment: Environment
  readonly capacity: Capacity
  /** Whether people read the log as it is written. */
  readonly isTerminal: boolean
}

/** Of a container's memory, the share that workers may fill. */
const USABLE_MEMORY_SHARE = 0.9
/** Node itself needs this much; a limit below it would recycle workers for ever. */
const SMALLEST_MEMORY_LIMIT_BYTES = 64_000_000
const STANDARD_HEALTH_TIMEOUT_MS = 5000
/** No signal ever reaches it. */
const NEVER: number = Number.MAX_SAFE_INTEGER
const SURGE_QUEUE_FACTOR = 3

export function settingsOf({ values, custom, given }: Reading, surroundings: Surroundings): Settings {
  const { baseFolder, workingFolder = baseFolder, environment, capacity, isTerminal } = surroundings
  const socket = values['control.socket']
  return {
    app: {
      entry: resolvePath(baseFolder, values.entry ?? ''),
      args: values.args,
      execArgv: values.execArgv,
      env: values.env,
    },
    fleet: { ...fleetPart(values, environment, capacity), scaling: scalingPart(values, { custom, given }) },
    policy: values['scaling.policy'],
    routing: {
      balance: values['routing.balance'],
      engine: values['routing.engine'],
      sticky: values['routing.sticky'],
      trustedProxies: values['routing.trustedProxies'],
    },
    database: {
      budget: values['database.budget'],
      reserve: values['database.reserve'],
      minPerWorker: values['database.minPerWorker'],
      replicas: replicasOf(values),
      terminateOrphans: values['database.terminateOrphans'],
      url: values['database.url'],
    },
    redis: values['redis.url'] === null ? null : { url: values['redis.url'], key: values['redis.key'] },
    replica: replicaPart(values),
    control: { socket: resolvePath(socket === table['control.socket'].initial ? workingFolder : baseFolder, socket) },
    admin: values['admin.listen'],
    journal: {
      file: values['journal.file'] === null ? null : resolvePath(baseFolder, values['journal.file']),
      maxBytes: values['journal.maxSize'],
    },
    cost: pricesOf(values),
    log: values.log ?? (isTerminal ? 'pretty' : 'json'),
  }
}

function fleetPart(values: Values, environment: Environment, capacity: Capacity): Omit<FleetPart, 'scaling'> {
  const max = values['workers.max']
  const shareBytes = Math.floor((capacity.memoryBytes * USABLE_MEMORY_SHARE) / max)
  return {
    workers: {
      min: values['workers.min'],
      max,
      oversubscribe: values['workers.oversubscribe'],
      spares: values['workers.spares'],
      memoryLimitBytes: values['workers.memoryLimit'] ?? Math.max(SMALLEST_MEMORY_LIMIT_BYTES, shareBytes),
      readyWhen: values['workers.readyWhen'],
      bootTimeoutMs: values['workers.bootTimeout'],
    },
    health: {
      path: values['health.path'],
      intervalMs: values['health.interval'],
      timeoutMs: values['health.timeout'] ?? Math.min(STANDARD_HEALTH_TIMEOUT_MS, values['health.interval']),
      unhealthyThreshold: values['health.unhealthyThreshold'],
      stuckAfterMs: values['health.stuckAfter'],
    },
    restart: {
      intensity: values['restart.intensity'],
      windowMs: values['restart.window'],
      backoffMs: values['restart.backoff'],
      backoffMaxMs: values['restart.backoffMax'],
    },
    drain: { timeoutMs: values['drain.timeout'], stopDeadlineMs: stopDeadlineMs(environment) },
    capacity,
    database: databasePlan(values),
    rebalance: values['routing.rebalance'] ? { intervalMs: values['routing.rebalanceInterval'] } : null,
    prices: pricesOf(values),
    tickMs: values['sampling.interval'],
  }
}

const pricesOf = (values: Values): Prices => ({
  perReplicaMonth: values['cost.perReplicaMonth'],
  fixedMonth: values['cost.fixedMonth'],
  budgetMonth: values['cost.budgetMonth'],
})

function replicaPart({ 'replica.listen': listen, 'replica.address': address, 'replica.secret': secret }: Values): ReplicaPart | null {
  return listen && secret !== null ? { listen, address, secret } : null
}

function databasePlan(values: Values): DatabasePlan | null {
  const { 'database.budget': budget, 'database.reserve': reserve, 'database.minPerWorker': minPerWorker } = values
  const isShared = values['redis.url'] !== null
  return budget === null
    ? null
    : planBudget({ budget, reserve, minPerWorker, replicas: replicasOf(values), isShared, minWorkers: values['workers.min'] })
}

function scalingPart(values: Values, { custom, given }: Pick<Reading, 'custom' | 'given'>): ScalingSettings {
  return {
    mode: values['scaling.mode'],
    up: triggers(values, 'up', custom.up),
    down: triggers(values, 'down', custom.down),
    cooldownUpMs: values['scaling.cooldown.up'],
    cooldownDownMs: values['scaling.cooldown.down'],
    stepUp: values['scaling.step.up'],
    stepDown: values['scaling.step.down'],
    rateUp: values['scaling.rate.up'],
    rateDown: values['scaling.rate.down'],
    flapPenalty: values['scaling.flapPenalty'],
    predict: values['scaling.predict'],
    warmUpMs: values['scaling.warmUp'],
    surge: surgePart(values['scaling.surge'], values['scaling.up.queue']),
    schedule: values['scaling.schedule'],
    heldWhileIdle: heldWhileIdle(values, given),
  }
}

/** Who gives a threshold for requests that wait has said how much of them a worker takes, whatever they wait for. */
function heldWhileIdle(values: Values, given: Reading['given']): string[] {
  const surge = values['scaling.surge']
  const hasOwnSurge = typeof surge?.queue === 'number'
  return [...(given.has('scaling.up.queue') || hasOwnSurge ? [] : ['queue']), ...(given.has('scaling.up.p95') ? [] : ['p95'])]
}

function triggers(values: Values, side: Side, custom: Readonly<Record<string, Trigger>>): Record<string, Trigger> {
  const chosen: Record<string, Trigger> = {}
  for (const name of signalNames) {
    const trigger = values[`scaling.${side}.${name}`]
    if (trigger) chosen[name] = trigger
  }
  return moved({ ...chosen, ...custom }, side, values['scaling.tolerance'])
}

/** The band of tolerance: growth begins that much above its thresholds, shrinking that much below. */
function moved(triggers: Readonly<Record<string, Trigger>>, side: Side, tolerance: number): Record<string, Trigger> {
  const outwards = (threshold: number): number => threshold + Math.abs(threshold) * (side === 'up' ? tolerance : -tolerance)
  return Object.fromEntries(Object.entries(triggers).map(([name, trigger]) => [name, { ...trigger, threshold: outwards(trigger.threshold) }]))
}

function surgePart(surge: SurgeValue | null, up: Trigger | null): SurgeSettings | null {
  if (!surge) return null
  const followed = up ? up.threshold * SURGE_QUEUE_FACTOR : NEVER
  const queue = surge.queue === 'auto' ? followed : (surge.queue ?? NEVER)
  return { eventLoopUtilization: surge.eventLoopUtilization ?? NEVER, queue, forMs: surge.forMs }
}
