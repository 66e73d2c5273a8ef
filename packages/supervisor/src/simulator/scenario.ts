import type { FleetEvent } from '../fleet/event.ts'
import type { ScheduleEntry } from '../policy/settings.ts'

/** What a virtual day looks like, complete: times in milliseconds since the start of the run. */
export interface Scenario {
  readonly seed: number
  readonly load: readonly LoadPoint[]
  readonly request: RequestModel
  readonly worker: WorkerModel
  readonly host: HostModel
  readonly database: DatabaseModel
  /** Absent: requests belong to nobody. */
  readonly sessions?: SessionModel
  /** Absent: nobody stays connected. */
  readonly sockets?: SocketModel
  /** What each worker reports by names of the app's own. Absent: nothing. */
  readonly signals?: Readonly<Record<string, readonly ToldPoint[]>>
  /** Absent: there is one, for good. */
  readonly replicas?: ReplicaModel
  readonly faults: readonly Fault[]
  readonly requests: readonly OperatorRequest[]
}

/** Replicas of the service, all alike. */
export interface ReplicaModel {
  readonly min: number
  readonly max: number
  /** From the order until its core starts. */
  readonly bootMs: number
  /** Whether somebody starts and stops as many as are said to be needed. */
  readonly follow: boolean
  /** Floors and ceilings that the platform keeps for hours of the day. Absent: the same at all hours. */
  readonly schedule?: readonly ScheduleEntry[]
}

export interface RequestModel {
  /** Time on the event loop. */
  readonly cpuMs: number
  /** Time spent waiting elsewhere: a database, another service. */
  readonly waitMs: number
  /** How long requests waited before they got here, as a proxy tells. Absent: none tells. */
  readonly queueTimesMs?: readonly ToldPoint[]
  /** As they were measured, each as likely as the others; `waitMs` is their mean. Absent: all wait alike. */
  readonly waitsMs?: readonly number[]
  /** Of the queueing that random arrivals bring, what was measured: some arrive more evenly. Absent: all of it. */
  readonly queueingShare?: number
}

export interface WorkerModel {
  readonly bootMs: number
  /** Of a core, what a boot takes. Absent: nothing. */
  readonly bootCpus?: number
  readonly memoryBytes: number
  /** Of a request in flight; and the garbage that it leaves behind. */
  readonly memoryPerRequestBytes: number
  /** What a request leaves behind for ever. */
  readonly leakPerRequestBytes: number
  /** Garbage that is collected at once, in a pause of the whole process. */
  readonly gcEveryBytes: number
  readonly gcPauseMs: number
  /** Share of the event loop that is busy without any request. Absent: none. */
  readonly idleShare?: number
  /** Of the time on the event loop, what takes a core: a loop is also held up by calls that wait. Absent: all of it. */
  readonly cpuShare?: number
}

export interface HostModel {
  readonly cpus: number
  /** Cores that other processes of the machine took, as it was measured. Absent: none. */
  readonly others?: readonly { readonly atMs: number; readonly cpus: number }[]
  readonly memoryBytes: number
}

/** A database (or another service) that requests wait for: with more requests at once than it works on, all of them wait longer. */
export interface DatabaseModel {
  /** Requests that it works on at once. */
  readonly concurrency: number
}

/** Clients whose session is in one worker, so that what they ask no other can answer. */
export interface SessionModel {
  /** Their part of all requests. */
  readonly hotShare: number
}

/** Connections that stay open after a request, such as WebSockets. */
export interface SocketModel {
  /** How many a request leaves open. */
  readonly perRequest: number
  /** So long in the mean, each by chance. */
  readonly staysMs: number
  readonly memoryBytes: number
  /** Time on the event loop of each. */
  readonly cpuMsPerSecond: number
}

/** Linear between points, or a jump where `step`; after the last one the load stays. */
export interface LoadPoint {
  readonly atMs: number
  readonly requestsPerSecond: number
  readonly step?: boolean
}

/** What is told at a moment; linear between points. */
export interface ToldPoint {
  readonly atMs: number
  readonly value: number
}

/** What can go wrong. With a duration: it lasts for `forMs`. */
export const FAULT_KINDS = {
  crash: 'one worker ends',
  hang: "one worker's event loop stands still for ever",
  'boot-crash': 'boots fail',
  'bad-release': 'what is booted for a reload fails',
  'slow-boot': 'boots take ten times as long',
  'drop-reports': "one worker's reports are lost",
  'late-reports': "one worker's reports arrive a tick late",
  'lost-messages': 'one in five messages of workers is lost and comes again a second later',
  'doubled-messages': 'every message of a worker arrives twice',
  'paused-primary': 'the primary stands still',
  'clock-drift': 'the clock on the wall runs a tenth too fast, and is then put right',
  'redis-away': 'what asks Redis waits for its deadline',
  'redis-slow': 'Redis takes up to a second to answer',
  'redis-flushed': 'Redis has forgotten everything, at once',
  'redis-restored': 'another Redis goes on with an older copy and a clock of its own',
  'replica-crash': 'one replica is gone with all its workers, and the platform starts another',
  'slow-database': 'the database takes ten times as long',
  'busy-neighbour': 'half of the cores are taken by others',
} as const

export type FaultKind = keyof typeof FAULT_KINDS

/** Those that mean something only where there are several replicas. */
export const FAULTS_OF_REPLICAS: ReadonlySet<FaultKind> = new Set(['redis-slow', 'redis-flushed', 'redis-restored', 'replica-crash'])

/** Faults that meet one process meet one of the replicas, by chance. */
export const FAULTS_OF_ONE: ReadonlySet<FaultKind> = new Set(['crash', 'hang', 'drop-reports', 'late-reports', 'paused-primary', 'replica-crash'])
/** Faults of the document that replicas keep in Redis: to meet them, they must keep one. */
export const FAULTS_OF_THE_DOCUMENT: ReadonlySet<FaultKind> = new Set(['redis-slow', 'redis-flushed', 'redis-restored'])

export interface Fault {
  readonly atMs: number
  readonly kind: FaultKind
  readonly worker: 'any' | number
  readonly forMs: number
}

type Requested = Extract<FleetEvent, { kind: 'scaleRequested' | 'reloadRequested' | 'budgetRequested' | 'drainRequested' | 'stopRequested' }>
type Unstamped<Event> = Event extends unknown ? Omit<Event, 'nowMs'> : never

export interface OperatorRequest {
  readonly atMs: number
  readonly event: Unstamped<Requested>
}

/** Reads the load off its points; moments must be asked for in order. */
export function createLoad(points: readonly LoadPoint[]): (atMs: number) => number {
  let next = 0
  return (atMs) => {
    while (next < points.length && (points[next] as LoadPoint).atMs <= atMs) next++
    const before = next > 0 ? points[next - 1] : undefined
    const after = points[next]
    if (!after) return before?.requestsPerSecond ?? 0
    if (!before) return after.step ? 0 : after.requestsPerSecond
    if (after.step) return before.requestsPerSecond
    const share = (atMs - before.atMs) / (after.atMs - before.atMs)
    return before.requestsPerSecond + share * (after.requestsPerSecond - before.requestsPerSecond)
  }
}
