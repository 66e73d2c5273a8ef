import type { FleetEvent } from '../fleet/event.ts'

/** What a virtual day looks like. Times in milliseconds since the start of the run. */
export interface Scenario {
  readonly seed: number
  readonly load: readonly LoadPoint[]
  readonly request: {
    /** Time on the event loop. */
    readonly cpuMs: number
    /** Time spent waiting elsewhere: a database, another service. */
    readonly waitMs: number
  }
  readonly worker: {
    readonly bootMs: number
    readonly memoryBytes: number
    readonly memoryPerRequestBytes: number
  }
  readonly host: { readonly cpus: number; readonly memoryBytes: number }
  readonly faults: readonly Fault[]
  readonly requests: readonly OperatorRequest[]
}

/** Linear between points; after the last one the load stays. */
export interface LoadPoint {
  readonly atMs: number
  readonly requestsPerSecond: number
}

/**
 * `crash` ends one worker; `hang` stops one for ever; `boot-crash` lets boots fail, `slow-boot` makes them take ten times as long and
 * `drop-reports` loses the reports of one worker, each for `forMs`.
 */
export interface Fault {
  readonly atMs: number
  readonly kind: 'crash' | 'hang' | 'boot-crash' | 'slow-boot' | 'drop-reports'
  readonly worker: 'any' | number
  readonly forMs: number
}

type Requested = Extract<FleetEvent, { kind: 'scaleRequested' | 'reloadRequested' | 'drainRequested' | 'stopRequested' }>
type Unstamped<Event> = Event extends unknown ? Omit<Event, 'nowMs'> : never

export interface OperatorRequest {
  readonly atMs: number
  readonly event: Unstamped<Requested>
}

export function requestsPerSecondAt(load: readonly LoadPoint[], atMs: number): number {
  const next = load.findIndex((point) => point.atMs > atMs)
  if (next === -1) return load.at(-1)?.requestsPerSecond ?? 0
  const after = load[next] as LoadPoint
  const before = load[next - 1]
  if (!before) return after.requestsPerSecond
  const share = (atMs - before.atMs) / (after.atMs - before.atMs)
  return before.requestsPerSecond + share * (after.requestsPerSecond - before.requestsPerSecond)
}
