import type { Decision } from '../policy/decision.ts'
import type { ReplicaNeed } from '../policy/replicas.ts'
import type { Capacity, DatabaseUse } from '../policy/sample.ts'
import type { Exited } from './event.ts'

/** `GET /v1/status`. A number that is not known yet is null, never 0. */
export interface Status {
  readonly version: 1
  readonly state: 'starting' | 'running' | 'draining' | 'stopped'
  readonly mode: 'auto' | 'manual' | 'shadow'
  readonly pid: number
  readonly uptimeS: number
  readonly generation: number
  readonly workers: readonly WorkerStatus[]
  readonly fleet: FleetStatus
  readonly capacity: Capacity
  readonly database: DatabaseStatus | null
  readonly replica: { readonly id: string; readonly peers: number; readonly coordination: 'alone' | 'redis' | 'redis-lost' }
  readonly restarts: { readonly total: number; readonly lastExit: LastExit | null }
  /** How many replicas there should be; null where there are as many. */
  readonly replicas: ReplicaNeed | null
  readonly lastDecision: Decision | null
}

export interface DatabaseStatus {
  /** `database.budget`: for all workers of all replicas. */
  readonly budget: number
  /** Of it, what is for the workers of this replica. */
  readonly share: number
  /** What the workers of this replica may open. */
  readonly granted: number
  /** What they have confirmed that they stay within. */
  readonly acknowledged: number
  readonly inUse: number
  /** Callers that wait for a connection. */
  readonly waiting: number
  /** Connections of workers that are gone, and that the server was not yet seen to have closed. */
  readonly quarantined: number
  /** Connections of the app's database role that belong to nobody's fleet, such as people's. */
  readonly foreign: number
  /** Who may have how many and why, in sentences. */
  readonly why: readonly string[]
}

export interface WorkerStatus {
  readonly id: number
  readonly pid: number | null
  readonly slot: number
  readonly generation: number
  readonly state: 'booting' | 'spare' | 'ready' | 'draining' | 'killing'
  readonly uptimeS: number
  readonly cpu: number | null
  readonly memoryBytes: number | null
  readonly memory: number | null
  readonly eventLoopUtilization: number | null
  readonly eventLoopDelayP99Ms: number | null
  readonly queue: number | null
  readonly requestsPerSecond: number | null
  readonly p95Ms: number | null
  readonly connections: number | null
  readonly sockets: number | null
  readonly database: DatabaseUse | null
  /** What the app reports by names of its own. */
  readonly signals: Readonly<Record<string, number>>
}

export interface FleetStatus {
  readonly min: number
  readonly max: number
  readonly target: number
  readonly ready: number
  readonly spares: number
  readonly cpu: number | null
  readonly memory: number | null
  readonly queue: number | null
  readonly p95Ms: number | null
  /** How long requests waited before they got here (95th percentile), by trusted proxies. */
  readonly queueTimeP95Ms: number | null
  readonly eventLoopUtilization: number | null
  readonly eventLoopDelayP99Ms: number | null
  readonly requestsPerSecond: number | null
  /** Since the start, as far as workers have reported. */
  readonly requestsTotal: number
  /** Means of the app's own signals that the fleet is scaled by. */
  readonly signals: Readonly<Record<string, number | null>>
}

export type LastExit = Omit<Exited, 'kind'> & { readonly atMs: number }
