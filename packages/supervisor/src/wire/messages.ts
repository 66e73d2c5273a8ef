import type { LeaseUse } from '../policy/lease.ts'
import type { PeerAddress, Route } from '../policy/route.ts'
import type { Report } from '../policy/sample.ts'

/** What the app's `listen()` asked for, as far as the primary needs it to bind the socket. */
export interface ListenRequest {
  readonly kind: 'listen'
  readonly requestId: number
  readonly port: number | null
  readonly host: string | null
  /** Unix socket path, or null. */
  readonly path: string | null
  readonly fd: number | null
  readonly ipv6Only: boolean
  /** The n-th `listen()` with these same arguments in this worker: two `listen(0)` are two ports. */
  readonly turn: number
  /** The primary is to accept, and @socket.io/sticky to deal the connections out. */
  readonly isDealt: boolean
}

/** What one worker met when it wanted to connect to the app's database; the primary passes it on to the others. */
export interface DatabaseState {
  readonly kind: 'databaseState'
  /** Host and port, as the app gave them. */
  readonly server: string
  /** Null: it is there again. */
  readonly error: { readonly code: string | null; readonly message: string } | null
  /** How long, at most, nobody should try. */
  readonly pauseMs: number
}

export type WorkerMessage =
  | { readonly kind: 'hello' }
  | ListenRequest
  /** Where Node's own round robin serves: the socket could not be had. `code` is a system error name. */
  | { readonly kind: 'listenFailed'; readonly code: string; readonly port: number | null; readonly host: string | null; readonly path: string | null }
  /** The first socket is open (or held, in a spare). */
  | { readonly kind: 'listening' }
  /** The app called `ready()` or `process.send('ready')`. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'report'; readonly report: Report }
  /** How many connections there are, and whether there is room for more; told when it changed much, or when asked by `count`. */
  | { readonly kind: 'connections'; readonly connections: number; readonly takesMore: boolean }
  /** The app called `attachSocketIO()`: broadcasts between workers pass through the primary from now on. */
  | { readonly kind: 'attached'; readonly library: 'socket.io' }
  | { readonly kind: 'probed'; readonly healthy: boolean; readonly detail: string }
  /**
   * A connection that belongs to another worker; carries it as its handle. `server` numbers the app's HTTP servers, and the connection is an upgraded one;
   * null: another replica opened it.
   */
  | { readonly kind: 'handOver'; readonly transferId: number; readonly owner: number; readonly server: number | null; readonly head: string }
  /** Answer to `adopt`. */
  | { readonly kind: 'adopted'; readonly transferId: number; readonly taken: boolean }
  /** How many database connections it has open at most, for the newest lease it knows, and what it needs. */
  | ({ readonly kind: 'leaseUse' } & LeaseUse)
  | DatabaseState
  /** All that could be answered was answered; the worker exits next. */
  | { readonly kind: 'drained'; readonly cutConnections: number; readonly cutRequests: number }

export type PrimaryMessage =
  /** Answer to `listen`; carries the socket as its handle, unless `error` says why not. */
  | { readonly kind: 'socket'; readonly requestId: number; readonly error: ListenError | null }
  /** A spare begins to accept. */
  | { readonly kind: 'promote' }
  /** `patient`: others serve on and nobody waits, so a quiet connection is left to its server's own keep-alive time-out. */
  | { readonly kind: 'drain'; readonly timeoutMs: number; readonly patient: boolean }
  /** Accept connections, or leave them to workers that have fewer. */
  | { readonly kind: 'gate'; readonly open: boolean }
  /** Answered by `connections` at once. */
  | { readonly kind: 'count' }
  /**
   * So many clients are to go to other workers: by `Connection: close` on the next response of a keep-alive connection, or where `lastingMs` is
   * given by a goodbye to a WebSocket client that has been here for so long.
   */
  | { readonly kind: 'shed'; readonly connections: number; readonly lastingMs: number | null }
  /** Take this connection from another worker; carries it as its handle. `head` is what was read from it, byte by byte: the request. */
  | { readonly kind: 'adopt'; readonly transferId: number; readonly server: number | null; readonly head: string }
  /** Who takes new clients, who only keeps those it has, and the other replicas that take what belongs to them. */
  | { readonly kind: 'routes'; readonly routes: readonly Route[]; readonly leaving: readonly Route[]; readonly peers: readonly PeerAddress[] }
  /** Answer to `handOver`. */
  | { readonly kind: 'handedOver'; readonly transferId: number; readonly taken: boolean }
  /** How many database connections it may have open, and until when (milliseconds of `process.hrtime()`, null: no end); a lower sequence than one it knows is old news. */
  | { readonly kind: 'lease'; readonly sequence: number; readonly granted: number; readonly untilMs: number | null }
  | DatabaseState
  | { readonly kind: 'probe'; readonly path: string; readonly timeoutMs: number }

export interface ListenError {
  /** A system error name such as EADDRINUSE. */
  readonly code: string
  readonly errno: number
  readonly message: string
}

/** The IPC channel is shared with the app and with Socket.IO's adapter, so our messages are wrapped and everybody else's are ignored. */
export interface Envelope<Body> {
  readonly ns: 'stationmaster'
  readonly v: 1
  readonly body: Body
}
