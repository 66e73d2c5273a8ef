import type { PolicyFunction } from '../policy/advice.ts'
import type { Decision } from '../policy/decision.ts'
import type { Usage } from '../policy/sample.ts'
import type { LoanHeard, PeersHeard } from '../fleet/event.ts'
import type { TimedNote } from '../fleet/note.ts'
import type { Word } from '../fleet/loan.ts'
import type { Status } from '../fleet/status.ts'
import type { BackendWatch } from './backend-watch.ts'
import type { Journal } from './journal.ts'
import type { LaunchContext } from './launch.ts'
import type { Measurements } from './sampling.ts'

/** What people may ask of a running supervisor. The control socket, the admin server and the public API all speak to this. */
export interface Control {
  status(): Status
  /** The newest decisions, oldest first. */
  decisions(last: number): readonly Decision[]
  /** Why the fleet has the size it has right now, signal by signal: what the policy would say at the last tick. */
  standing(): Decision | null
  /** The last minutes as JSON Lines: the fleet as it was then (`"kind":"start"`), and every event since. */
  recording(): Iterable<string>
  /** Each resolves with one sentence that says what was done; rejects with a StationmasterError. */
  scale(workers: number | 'auto'): Promise<string>
  reload(): Promise<string>
  drain(workerId: number): Promise<string>
  /** Changes `database.budget`. */
  setBudget(connections: number): Promise<string>
  /** Calls back for every note; returns the way to end that. */
  subscribe(listener: (note: TimedNote) => void): () => void
}

/** What a scraper is told. */
export interface Metrics {
  render(format: 'prometheus' | 'openmetrics'): Promise<{ readonly contentType: string; readonly body: string }>
}

/** Where log lines go. */
export interface Logger {
  debug(message: string, fields?: Record<string, unknown>): void
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
  error(message: string, fields?: Record<string, unknown>): void
}

/** What a coordination needs of the fleet. */
export interface CoordinationEdges {
  /** What this replica has to say right now. */
  word(): Word
  heard(event: PeersHeard | LoanHeard | { readonly kind: 'loanEnded' }): void
}

/** How this replica meets the others. What each tells is `Peer` in policy/replicas.ts; what is heard, `fleet.peers` and `fleet.loan` hold. */
export interface Coordination {
  start(edges: CoordinationEdges): void
  /** Resolves when the others know that it goes, or cannot be told. */
  close(): Promise<void>
}

/** What the primary needs from outside. */
export interface PrimaryParts {
  readonly launch: Omit<LaunchContext, 'neighbours'>
  /** The user's own; null where the built-in one decides alone. */
  readonly policy: PolicyFunction | null
  /** False: no request is ever forwarded from one worker to another. */
  readonly isSticky: boolean
  /** Where events are written, to be simulated later; null: nowhere. */
  readonly journal: Journal | null
  /** Where diagnostic reports go; made when the first is written. */
  readonly reportFolder: string
  readonly measurer: {
    measure(workers: readonly { readonly workerId: number; readonly pid: number }[]): Promise<ReadonlyMap<number, Measurements>>
    forget(pid: number): void
    close(): void
  }
  usage(): Promise<Usage>
  /** Which connections of dead workers the database still has; null where nobody limits them. */
  readonly backends: BackendWatch | null
  /** Null: this replica is alone. */
  readonly coordination: Coordination | null
  /** The container's count of processes killed for memory; null where there is none. */
  oomKills(): Promise<number | null>
  /** Takes secrets out of what a worker said: its last words are shown to others than those who read its stderr. */
  mask(text: string): string
  /** What workers write to stderr. */
  onStderr(chunk: Buffer): void
}
