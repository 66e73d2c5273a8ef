import type { StationmasterError } from '../errors.ts'
import type { PeerAddress, Route } from '../policy/route.ts'

/** A request to the edge. Its result comes back later as an event. */
export type Command =
  | {
      readonly kind: 'fork'
      readonly workerId: number
      readonly slot: number
      readonly generation: number
      readonly role: 'worker' | 'spare'
    }
  | { readonly kind: 'promote'; readonly workerId: number }
  | { readonly kind: 'drain'; readonly workerId: number; readonly timeoutMs: number; readonly patient: boolean }
  | { readonly kind: 'kill'; readonly workerId: number }
  /** Get the JavaScript stack out of a stuck worker. */
  | { readonly kind: 'diagnose'; readonly workerId: number }
  | { readonly kind: 'probe'; readonly workerId: number; readonly path: string; readonly timeoutMs: number }
  /** So many clients go to other workers: keep-alive connections, or WebSocket clients that have been there for so long. */
  | { readonly kind: 'shed'; readonly workerId: number; readonly connections: number; readonly lastingMs: number | null }
  /** Who takes new clients now, and where other replicas are; `workerId` null means that every worker is to hear it. */
  | {
      readonly kind: 'publish'
      readonly workerId: number | null
      readonly routes: readonly Route[]
      readonly leaving: readonly Route[]
      readonly peers: readonly PeerAddress[]
    }
  /** How many database connections a worker may have open; `untilMs` as in `LoanHeard`, null means until it hears something newer. */
  | { readonly kind: 'lease'; readonly workerId: number; readonly sequence: number; readonly granted: number; readonly untilMs: number | null }
  /** Ask the database whose connections it has, those of these workers above all, who are gone. Answered once, by `backendsSeen`. */
  | { readonly kind: 'askBackends'; readonly workerIds: readonly number[] }
  /** Settles the request of an operator; `error` null means done. */
  | { readonly kind: 'answer'; readonly requestId: number; readonly error: StationmasterError | null; readonly detail: string }
  /** Every worker is gone: end the supervisor. */
  | { readonly kind: 'exit'; readonly code: 0 | 1; readonly message: string | null }
