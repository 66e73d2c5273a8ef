import {
  type Kind,
  amount,
  anyNumber,
  checked,
  fields,
  listOf,
  mapOf,
  oneOf,
  optional,
  orNull,
  text,
  trueOrFalse,
  wholeNumber,
  wordOr,
} from '../config/kind.ts'
import { MAX_WORKERS } from '../config/rows-life.ts'
import { cron, timezone } from '../config/schedule.ts'
import type { FleetSettings } from '../fleet/fleet.ts'
import type { BudgetOptions, DatabasePlan } from '../policy/budget-plan.ts'
import type { Prices } from '../policy/cost.ts'
import type { Capacity } from '../policy/sample.ts'
import type {
  DrainSettings,
  HealthSettings,
  Rate,
  RebalanceSettings,
  RestartSettings,
  ScalingSettings,
  ScheduleEntry,
  SurgeSettings,
  Trigger,
  WorkerSettings,
} from '../policy/settings.ts'
import { anyText, atLeastZero, count, list } from './journal-parts.ts'

/** A month. */
const LONGEST_MS = 31 * 86_400_000
const MOST_BYTES = 1e15
const MOST_CPUS = 1e6

export const workers: Kind<number> = wholeNumber(0, MAX_WORKERS)
const someWorkers = wholeNumber(1, MAX_WORKERS)
const lasting = amount(0, LONGEST_MS, `a number of milliseconds from 0 to ${LONGEST_MS}`)
/** What comes again and again: without a pause it would be endless. */
const pausing = amount(10, LONGEST_MS, `a number of milliseconds from 10 to ${LONGEST_MS}`)
const bytes = amount(1, MOST_BYTES, `a number of bytes from 1 to ${MOST_BYTES}`)

const workerSettings: Kind<WorkerSettings> = checked(
  fields<WorkerSettings>('the settings of workers', {
    min: someWorkers,
    max: someWorkers,
    oversubscribe: trueOrFalse,
    spares: wordOr('auto', workers),
    memoryLimitBytes: bytes,
    readyWhen: oneOf('listening', 'ready'),
    bootTimeoutMs: pausing,
  }),
  ({ min, max }) => (min <= max ? null : `min (${min}) to be at most max (${max})`),
)

const trigger = fields<Trigger>('a threshold and how long it must hold', { threshold: anyNumber, forMs: lasting })
const signalName = text('the name of a signal', /^[A-Za-z]\w{0,63}$/)
const triggers = mapOf('an object of triggers by signal', signalName, trigger)
const rate = orNull(fields<Rate>('a rate: workers and perMs', { workers: someWorkers, perMs: pausing }))

const scheduleEntry: Kind<ScheduleEntry> = fields<ScheduleEntry>('an entry of a schedule', {
  cron,
  timezone,
  min: orNull(someWorkers),
  max: orNull(someWorkers),
  until: orNull(cron),
  forMs: orNull(lasting),
})

const scaling: Kind<ScalingSettings> = fields<ScalingSettings>('the settings of scaling', {
  mode: oneOf('auto', 'shadow'),
  up: triggers,
  down: triggers,
  cooldownUpMs: lasting,
  cooldownDownMs: lasting,
  stepUp: wordOr('proportional', someWorkers),
  stepDown: someWorkers,
  rateUp: rate,
  rateDown: rate,
  flapPenalty: trueOrFalse,
  warmUpMs: lasting,
  predict: trueOrFalse,
  surge: orNull(fields<SurgeSettings>('the settings of surges', { eventLoopUtilization: atLeastZero, queue: atLeastZero, forMs: lasting })),
  schedule: listOf('a list of at most 100 entries', scheduleEntry, 100),
  heldWhileIdle: list(signalName),
})

const health: Kind<HealthSettings> = fields<HealthSettings>('the settings of health', {
  path: orNull(anyText),
  intervalMs: pausing,
  timeoutMs: pausing,
  unhealthyThreshold: wholeNumber(1, MAX_WORKERS),
  stuckAfterMs: pausing,
})

const restart: Kind<RestartSettings> = fields<RestartSettings>('the settings of restarts', {
  intensity: wholeNumber(0, 10_000),
  windowMs: lasting,
  backoffMs: lasting,
  backoffMaxMs: lasting,
})

const budgetOptions: Kind<BudgetOptions> = fields<BudgetOptions>('what a budget is planned from', {
  budget: count,
  reserve: count,
  minPerWorker: count,
  replicas: wholeNumber(1, 10_000),
  isShared: optional(trueOrFalse),
  minWorkers: someWorkers,
}) as Kind<BudgetOptions>

const database: Kind<DatabasePlan> = fields<DatabasePlan>('the part of a budget', {
  budget: count,
  share: count,
  available: count,
  cluster: count,
  isShared: trueOrFalse,
  floor: count,
  options: budgetOptions,
})

/** The settings of a fleet, as they stand in a journal: in milliseconds and bytes, complete. */
export const settingsKind: Kind<FleetSettings> = fields<FleetSettings>('the settings of a fleet', {
  workers: workerSettings,
  scaling,
  health,
  restart,
  drain: fields<DrainSettings>('the settings of drains', { timeoutMs: lasting, stopDeadlineMs: orNull(lasting) }),
  capacity: fields<Capacity>('what the container allows', {
    cpus: amount(0.01, MOST_CPUS),
    memoryBytes: bytes,
    source: oneOf('cgroup2', 'cgroup1', 'host'),
  }),
  database: orNull(database),
  rebalance: orNull(fields<RebalanceSettings>('the settings of rebalancing', { intervalMs: pausing })),
  prices: fields<Prices>('prices', { perReplicaMonth: atLeastZero, fixedMonth: atLeastZero, budgetMonth: orNull(atLeastZero) }),
  tickMs: amount(100, 60_000, 'a number of milliseconds from 100 to 60000'),
})
