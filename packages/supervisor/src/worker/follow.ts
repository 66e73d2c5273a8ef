import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import net from 'node:net'
import { isHttp2 } from './about-request.ts'
import type { Connection } from './connection.ts'
import { isBetweenRequests } from './idle.ts'
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

/** Versions of Node before 22.19 do not tell the buffer. */
type Waiting = Pick<Server, 'keepAliveTimeout'> & Partial<Pick<Server, 'keepAliveTimeoutBuffer'>>

export interface FollowParts {
  connectionOf(socket: SocketInside): Connection | undefined
  /** Whether this worker takes clients. */
  takes(owner: number): boolean
  /** Whether the other workers know this server. */
  serves(server: Server): boolean
  give(owner: number, request: IncomingMessage, onRefused: () => void): void
}

/** A kept-alive connection whose requests all belong to another worker moves there: from then on nothing has to be forwarded. */
export class Follow {
  readonly #parts: FollowParts
  readonly #rows = new WeakMap<Connection, Row>()
  #nextLookAtMs = 0
  /** One at a time, so that a primary or an owner that is stuck makes no more than one client wait. */
  #isGiving = false

  constructor(parts: FollowParts) {
    this.#parts = parts
  }

  /** A request is forwarded to its owner, another worker of this replica. */
  note(owner: number, request: IncomingMessage, response: ServerResponse): void {
    const connection = isHttp2(request) ? undefined : this.#parts.connectionOf(request.socket as SocketInside)
    if (!connection || !this.#mayMove(request.socket)) return
    connection.hasFollowed = false
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
    const isBusy = socket.destroyed || socket.writableEnded || connection.leaving || connection.inFlight > 0
    const holdsBytes = socket.writableLength > 0 || socket.readableLength > 0
    const nowMs = performance.now()
    if (isBusy || holdsBytes || this.#isGiving || this.#rows.get(connection) !== row || !this.#parts.takes(row.owner)) return
    if (nowMs < this.#nextLookAtMs) return
    this.#nextLookAtMs = nowMs + LOOK_GAP_MS
    if (isBetweenRequests(connection)) this.#give(row.owner, connection, request)
  }

  #give(owner: number, connection: Connection, request: IncomingMessage): void {
    const { socket } = request
    const gone = (): void => {
      this.#isGiving = false
    }
    this.#isGiving = true
    // Refused, it begins a new row.
    this.#rows.delete(connection)
    socket.once('close', gone)
    // The next request may be here already, where nobody reads it.
    socket.setTimeout(0)
    this.#parts.give(owner, request, () => {
      socket.off('close', gone)
      gone()
      socket.setTimeout(quietMs((socket as SocketInside).server as Server))
    })
  }

  /**
   * The state of an encryption cannot move, nor what an app has told a socket about its client. Where a server waits longer for the next request than for a
   * first, the one that it moves to would close too early.
   */
  #mayMove(socket: net.Socket): boolean {
    const server = (socket as SocketInside).server as Server | undefined
    if (!(socket instanceof net.Socket) || 'encrypted' in socket || Object.hasOwn(socket, 'remoteAddress')) return false
    if (!server || !this.#parts.serves(server)) return false
    const { headersTimeout, requestTimeout, timeout } = server
    return (
      quietMs(server) < Number.POSITIVE_INFINITY &&
      quietMs(server) <= Math.min(...[headersTimeout, requestTimeout, timeout].map((limitMs) => limitMs || Number.POSITIVE_INFINITY))
    )
  }
}

/** How long a server waits for the next request; where that has no end, connections stay where they are. */
function quietMs({ keepAliveTimeout, keepAliveTimeoutBuffer = KEEP_ALIVE_BUFFER_MS }: Waiting): number {
  return keepAliveTimeout === 0 ? Number.POSITIVE_INFINITY : keepAliveTimeout + keepAliveTimeoutBuffer
}

/** A connection that came between two requests ends as it would have where it came from: when nothing is asked for as long as that. */
export function settleIn(socket: net.Socket, server: Server, connection: Connection | undefined): void {
  if (connection) connection.hasFollowed = true
  const timer = setTimeout(() => {
    if (socket.bytesRead === 0) socket.destroySoon()
  }, quietMs(server))
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
}
