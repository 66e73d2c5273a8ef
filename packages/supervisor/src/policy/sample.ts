import type { LatencyCounts } from './latency.ts'

/** What a worker says of itself, once a tick. Counts and ratios cover `intervalMs`; the rest is the state at its end. */
export interface Report {
  readonly intervalMs: number
  /** Share of the interval in which the event loop was busy, 0..1. */
  readonly eventLoopUtilization: number
  readonly eventLoopDelayP99Ms: number
  /** Requests received and not yet answered. */
  readonly queue: number
  readonly requests: number
  readonly connections: number
  /** Upgraded connections (WebSocket). */
  readonly sockets: number
  /** Response times of the interval, in the buckets of `latency.ts`. */
  readonly latencies: LatencyCounts
  /** How long requests of the interval waited before they got here, as far as trusted proxies told. */
  readonly queueTimes: LatencyCounts
  readonly database: DatabaseUse | null
  /** What the app says of itself, by names of its own; what is not known now is absent. */
  readonly signals: Readonly<Record<string, number>>
}

export interface DatabaseUse {
  readonly granted: number
  readonly acknowledged: number
  readonly inUse: number
  /** Callers that wait for a connection. */
  readonly waiting: number
}

/** What is known of one worker at one tick. `null` is "not known", never "nothing". */
export interface Sample {
  readonly workerId: number
  /** Seen from outside: share of one core, 0..1 and above for worker threads. */
  readonly cpu: number | null
  /** Seen from outside: resident memory. */
  readonly memoryBytes: number | null
  /** The report that arrived since the last tick, or null if none did. */
  readonly report: Report | null
}

/** What the container (or the host, where there is no container) allows. */
export interface Capacity {
  readonly cpus: number
  readonly memoryBytes: number
  readonly source: 'cgroup2' | 'cgroup1' | 'host'
}

/** How much of the capacity is used by everything in the container, not only by workers. */
export interface Usage {
  readonly cpus: number | null
  readonly memoryBytes: number | null
}
