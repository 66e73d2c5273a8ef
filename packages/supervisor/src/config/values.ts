import type { PolicyFunction } from '../policy/advice.ts'
import type { Rate, ScheduleEntry, Trigger } from '../policy/settings.ts'
import type { Address } from './address.ts'
import type { Row } from './row.ts'

export type Side = 'up' | 'down'
export type SignalName = 'cpu' | 'memory' | 'queue' | 'p95' | 'eventLoopDelay' | 'eventLoopUtilization' | 'queueTime'
export type Preset = 'seed' | 'responsive' | 'frugal'
export type Balance = 'round-robin' | 'shared' | 'reuse-port' | 'least-busy'

/** What brings Socket.IO sessions to their worker. */
export type SessionEngine = 'own' | 'socket.io-sticky'

/** What requests of the same client have in common; `auto` is Socket.IO's session once the app attaches Socket.IO, else nothing. */
export type Sticky =
  | 'auto'
  | 'socket.io'
  | false
  | { readonly cookie: string }
  | { readonly header: string }
  | { readonly address: true; readonly trustProxy: boolean }

export interface SurgeValue {
  readonly eventLoopUtilization: number | null
  /** `auto` follows the up-trigger of the signal. */
  readonly queue: number | null | 'auto'
  readonly forMs: number
}

export interface AppValues {
  readonly entry: string | null
  readonly args: readonly string[]
  readonly execArgv: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export interface LifeValues {
  readonly 'workers.min': number
  readonly 'workers.max': number
  readonly 'workers.oversubscribe': boolean
  readonly 'workers.spares': 'auto' | number
  readonly 'workers.memoryLimit': number | null
  readonly 'workers.readyWhen': 'listening' | 'ready'
  readonly 'workers.bootTimeout': number
  readonly 'health.path': string | null
  readonly 'health.interval': number
  readonly 'health.timeout': number | null
  readonly 'health.unhealthyThreshold': number
  readonly 'health.stuckAfter': number
  readonly 'restart.intensity': number
  readonly 'restart.window': number
  readonly 'restart.backoff': number
  readonly 'restart.backoffMax': number
  readonly 'drain.timeout': number
}

export interface ScalingValues extends Readonly<Record<`scaling.${Side}.${SignalName}`, Trigger | null>> {
  readonly 'scaling.cooldown.up': number
  readonly 'scaling.cooldown.down': number
  readonly 'scaling.step.up': 'proportional' | number
  readonly 'scaling.step.down': number
  readonly 'scaling.preset': Preset
  readonly 'scaling.rate.up': Rate | null
  readonly 'scaling.rate.down': Rate | null
  readonly 'scaling.tolerance': number
  readonly 'scaling.flapPenalty': boolean
  readonly 'scaling.predict': boolean
  readonly 'scaling.warmUp': number
  readonly 'scaling.surge': SurgeValue | null
  readonly 'scaling.schedule': readonly ScheduleEntry[]
  readonly 'scaling.policy': PolicyFunction | null
  readonly 'scaling.mode': 'auto' | 'shadow'
}

export interface SurroundingValues {
  readonly 'routing.balance': Balance
  readonly 'routing.engine': SessionEngine
  readonly 'routing.sticky': Sticky
  readonly 'routing.rebalance': boolean
  readonly 'routing.rebalanceInterval': number
  readonly 'routing.trustedProxies': readonly string[]
  readonly 'database.budget': number | null
  readonly 'database.reserve': number
  readonly 'database.minPerWorker': number
  readonly 'database.replicas': number | null
  readonly 'database.terminateOrphans': boolean
  readonly 'database.url': string | null
  readonly 'redis.url': string | null
  readonly 'redis.key': string | null
  readonly 'replica.listen': Address | null
  readonly 'replica.address': Address | null
  readonly 'replica.secret': string | null
  readonly 'control.socket': string
  readonly 'admin.listen': Address | null
  readonly 'journal.file': string | null
  readonly 'journal.maxSize': number
  readonly 'cost.perReplicaMonth': number
  readonly 'cost.fixedMonth': number
  readonly 'cost.budgetMonth': number | null
  readonly log: 'json' | 'pretty' | null
  readonly 'sampling.interval': number
}

/** The value of every option once it is understood: durations in milliseconds, sizes in bytes, `null` for none. */
export interface Values extends AppValues, LifeValues, ScalingValues, SurroundingValues {}

export type Path = keyof Values

export type Rows<V> = { readonly [P in keyof V]: Row<V[P]> }
