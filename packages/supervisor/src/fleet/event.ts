import type { Advice } from '../policy/advice.ts'
import type { LeaseUse } from '../policy/lease.ts'
import type { Peers } from '../policy/replicas.ts'
import type { Sample, Usage } from '../policy/sample.ts'

/**
 * Everything that can happen to a fleet. `nowMs` is the running time of the primary on a monotonic clock that starts at the
 * unix time of its birth: ages are exact, and it reads as a date.
 */
export type FleetEvent = { readonly nowMs: number } & (
  | { readonly kind: 'started' }
  | { readonly kind: 'forked'; readonly workerId: number; readonly pid: number }
  | { readonly kind: 'forkFailed'; readonly workerId: number; readonly message: string }
  | { readonly kind: 'hello'; readonly workerId: number }
  | { readonly kind: 'readied'; readonly workerId: number }
  | { readonly kind: 'drained'; readonly workerId: number; readonly cutConnections: number; readonly cutRequests: number }
  | Exited
  /** The diagnostic report of a stuck worker is written (or could not be). */
  | { readonly kind: 'diagnosed'; readonly workerId: number; readonly reportPath: string | null }
  | { readonly kind: 'probed'; readonly workerId: number; readonly healthy: boolean; readonly detail: string }
  | Sampled
  | ({ readonly kind: 'leaseUsed'; readonly workerId: number } & LeaseUse)
  | BackendsSeen
  | PeersHeard
  | LoanHeard
  /** What was lent to this replica goes back, since nobody said in time that it may keep it. */
  | { readonly kind: 'loanEnded' }
  | { readonly kind: 'budgetRequested'; readonly requestId: number; readonly budget: number }
  | { readonly kind: 'scaleRequested'; readonly requestId: number; readonly workers: number | 'auto' }
  | { readonly kind: 'reloadRequested'; readonly requestId: number }
  | { readonly kind: 'drainRequested'; readonly requestId: number; readonly workerId: number }
  | { readonly kind: 'stopRequested'; readonly reason: string }
  /** The app cannot run here at all, such as a port that is taken: stop, exit 1. */
  | { readonly kind: 'fatal'; readonly message: string }
  /** A deadline that `wakeAtMs` announced has come. */
  | { readonly kind: 'woken' }
)

export interface Sampled {
  readonly kind: 'sampled'
  /** What the clock on the wall shows, in unix milliseconds: schedules go by it, and by nothing else. It may jump. */
  readonly wallMs: number
  readonly samples: readonly Sample[]
  readonly usage: Usage
  /** What the user's own policy answered, where there is one and it did. */
  readonly advice?: Advice
}

/** What the database server shows. */
export interface BackendsSeen {
  readonly kind: 'backendsSeen'
  /** When it was asked, on the clock of `nowMs`. */
  readonly askedAtMs: number
  readonly backends: readonly { readonly workerId: number; readonly connections: number }[]
  /** Connections that have not told their name yet. */
  readonly starting: number
  /** Connections of the same role that have no name of a fleet. */
  readonly foreign: number
  /** How long a connection of a process that is gone can be there, by the server's settings; null where they set no bound. */
  readonly goneWithinMs: number | null
}

/** What the other replicas say of themselves, as often as they are heard of. */
export interface PeersHeard extends Peers {
  readonly kind: 'peersHeard'
}

/** How many database connections the others let this replica have, beyond its floor. */
export interface LoanHeard {
  readonly kind: 'loanHeard'
  readonly granted: number
  /** Until when: milliseconds of `process.hrtime()`, which all processes of a machine share. */
  readonly untilMs: number
}

export interface Exited {
  readonly kind: 'exited'
  readonly workerId: number
  readonly code: number | null
  readonly signal: string | null
  /** Why, as far as it can be told from outside: `heap-oom`, `cgroup-oom`, or null. */
  readonly cause: string | null
  readonly lastStderrLines: readonly string[]
}
