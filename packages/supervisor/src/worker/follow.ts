import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import net from 'node:net'
import { isHttp2 } from './about-request.ts'
import type { Connection } from './connection.ts'
import { lookForIdle } from './idle.ts'
import type { SocketInside } from './internals.ts'

/**
 * As many requests in a row for one other worker, and the connection is taken for one that its client has to itself. Of those that a proxy
 * shares among clients few bring so many, and for them it only means to be forwarded from somewhere else.
 */
const ROW_REQUESTS = 8
/** A look asks the parsers of all connections, so it may not come at every request. */
const LOOK_GAP_MS = 20
/** Node waits longer than it has told the client, so that what is sent in the last moment still finds somebody. */
const KEEP_ALIVE_BUFFER_MS = 1000

interface Row {
  readonly owner: number
  readonly length: number
  /** Requests of the connection, with the last of the row. */
  readonly requests: number
}

export interface FollowParts {
  connectionOf(socket: SocketInside): Connection | undefined
  /** Whether this worker takes clients. */
  takes(owner: number): boolean
  give(owner: number, request: IncomingMessage): void
}

/** A kept-alive connection whose requests all belong to another worker moves there: from then on nothing has to be forwarded. */
export class Follow {
  readonly #parts: FollowParts
  readonly #rows = new WeakMap<Connection, Row>()
  #nextLookAtMs = 0

  constructor(parts: FollowParts) {
    this.#parts = parts
  }

  /** A request is forwarded to its owner, another worker of this replica. */
  note(owner: number, request: IncomingMessage, response: ServerResponse): void {
    const connection = isHttp2(request) ? undefined : this.#parts.connectionOf(request.socket as SocketInside)
    if (!connection || !mayMove(request.socket)) return
    const row = this.#lengthen(connection, owner)
    // After its answer, and before the next request can have been read.
    if (row.length >= ROW_REQUESTS) response.once('finish', () => setImmediate(() => this.#moveIfIdle(connection, row, request)))
  }

  #lengthen(connection: Connection, owner: number): Row {
    const { requests } = connection
    const before = this.#rows.get(connection)
    const goesOn = before?.owner === owner && before.requests === requests - 1
    const row = { owner, length: goesOn ? before.length + 1 : 1, requests }
    this.#rows.set(connection, row)
    return row
  }

  #moveIfIdle(connection: Connection, row: Row, request: IncomingMessage): void {
    const { socket } = request
    const isBusy = socket.destroyed || socket.writableEnded || socket.writableLength > 0 || connection.leaving || connection.inFlight > 0
    const nowMs = performance.now()
    if (isBusy || this.#rows.get(connection) !== row || nowMs < this.#nextLookAtMs || !this.#parts.takes(row.owner)) return
    this.#nextLookAtMs = nowMs + LOOK_GAP_MS
    if (!lookForIdle()(connection)) return
    // From here on it is as good as gone; refused, it begins a new row.
    this.#rows.delete(connection)
    this.#parts.give(row.owner, request)
  }
}

/** The state of an encryption cannot move. Where a server waits longer for the next request than for a first, the one that it moves to would close too early. */
function mayMove(socket: net.Socket): boolean {
  const { server } = socket as SocketInside
  if (!(socket instanceof net.Socket) || 'encrypted' in socket || !server) return false
  const { headersTimeout, requestTimeout } = server as Server
  const firstMs = Math.min(headersTimeout || Number.POSITIVE_INFINITY, requestTimeout || Number.POSITIVE_INFINITY)
  return quietMs(server as Server) <= firstMs
}

/** How long a server waits for the next request. */
function quietMs({ keepAliveTimeout, keepAliveTimeoutBuffer = KEEP_ALIVE_BUFFER_MS }: Server & { keepAliveTimeoutBuffer?: number }): number {
  return keepAliveTimeout === 0 ? Number.POSITIVE_INFINITY : keepAliveTimeout + keepAliveTimeoutBuffer
}

/** A connection that came between two requests ends as it would have where it came from: when nothing is asked for as long as that. */
export function settleIn(socket: net.Socket, server: Server, connection: Connection | undefined): void {
  if (connection) connection.hasFollowed = true
  const waitMs = quietMs(server)
  if (waitMs === Number.POSITIVE_INFINITY) return
  const timer = setTimeout(() => {
    if (socket.bytesRead === 0) socket.destroySoon()
  }, waitMs)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
}
