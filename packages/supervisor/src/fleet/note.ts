import type { Decision } from '../policy/decision.ts'
import type { ReplicaNeed } from '../policy/replicas.ts'

/** Something worth telling people. Telemetry turns notes into log lines and into the events of the public API. */
export type Note =
  | {
      readonly kind: 'worker:forked'
      readonly workerId: number
      readonly slot: number
      readonly generation: number
      readonly role: 'worker' | 'spare'
    }
  | {
      readonly kind: 'worker:ready'
      readonly workerId: number
      readonly slot: number
      readonly generation: number
      readonly bootMs: number
      readonly spare: boolean
    }
  | { readonly kind: 'worker:promoted'; readonly workerId: number; readonly slot: number }
  | { readonly kind: 'worker:draining'; readonly workerId: number; readonly slot: number; readonly reason: string }
  | { readonly kind: 'worker:drained'; readonly workerId: number; readonly cutConnections: number; readonly cutRequests: number }
  | { readonly kind: 'worker:killed'; readonly workerId: number; readonly reason: string }
  | { readonly kind: 'worker:stuck'; readonly workerId: number; readonly silentMs: number }
  | { readonly kind: 'worker:diagnosed'; readonly workerId: number; readonly reportPath: string | null }
  | { readonly kind: 'worker:unhealthy'; readonly workerId: number; readonly detail: string }
  | { readonly kind: 'worker:memory'; readonly workerId: number; readonly memoryBytes: number; readonly limitBytes: number }
  | {
      readonly kind: 'worker:exited'
      readonly workerId: number
      readonly slot: number
      /** True when the fleet asked for it. */
      readonly expected: boolean
      /** Why the supervisor ended it; null where it ended by itself, or by somebody else. */
      readonly because: string | null
      readonly code: number | null
      readonly signal: string | null
      readonly cause: string | null
      readonly lastStderrLines: readonly string[]
    }
  | { readonly kind: 'worker:fork-failed'; readonly workerId: number; readonly message: string }
  | { readonly kind: 'fleet:restarting'; readonly inMs: number; readonly recent: number; readonly intensity: number }
  | { readonly kind: 'fleet:running'; readonly ready: number }
  /** Told once the fleet is running, where workers accept from the primary's sockets: `127.0.0.1:3000`, `[::]:3000`, `/run/app.sock`. */
  | { readonly kind: 'fleet:listening'; readonly addresses: readonly string[] }
  | { readonly kind: 'fleet:decided'; readonly decision: Decision }
  | { readonly kind: 'fleet:scaled'; readonly from: number; readonly to: number; readonly reason: string }
  /** The number of replicas that are needed is another one now; told by one replica of all. */
  | ({ readonly kind: 'fleet:replicas' } & ReplicaNeed)
  | { readonly kind: 'fleet:warning'; readonly message: string }
  | { readonly kind: 'reload:started'; readonly generation: number }
  | { readonly kind: 'reload:done'; readonly generation: number; readonly replaced: number }
  | { readonly kind: 'reload:aborted'; readonly generation: number; readonly message: string }
  | { readonly kind: 'fleet:stopping'; readonly reason: string; readonly timeoutMs: number }
  | { readonly kind: 'fleet:stopped'; readonly code: 0 | 1; readonly message: string | null }
  /** An impossible transition was asked for and refused. */
  | { readonly kind: 'supervisor:bug'; readonly message: string }

/** A note with the time it was written, in unix milliseconds; time for which this process was suspended does not count. */
export type TimedNote = Note & { readonly atMs: number }
