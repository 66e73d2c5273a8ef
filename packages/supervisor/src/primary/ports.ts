import type { Decision } from '../policy/decision.ts'
import type { TimedNote } from '../fleet/note.ts'
import type { Status } from '../fleet/status.ts'

/** What people may ask of a running supervisor. The control socket, the admin server and the public API all speak to this. */
export interface Control {
  status(): Status
  /** The newest decisions, oldest first. */
  decisions(last: number): readonly Decision[]
  /** Why the fleet has the size it has right now, signal by signal: what the policy would say at the last tick. */
  standing(): Decision | null
  /** Each resolves with one sentence that says what was done; rejects with a StationmasterError. */
  scale(workers: number | 'auto'): Promise<string>
  reload(): Promise<string>
  drain(workerId: number): Promise<string>
  /** Calls back for every note; returns the way to end that. */
  subscribe(listener: (note: TimedNote) => void): () => void
}

/** Where log lines go. */
export interface Logger {
  debug(message: string, fields?: Record<string, unknown>): void
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
  error(message: string, fields?: Record<string, unknown>): void
}
