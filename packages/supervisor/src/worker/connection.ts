import type { Http2Session, Http2Stream, ResponseInside, SocketInside } from './internals.ts'
import { isHttpServer } from './internals.ts'
import { isPrivate } from './servers.ts'

/** What is remembered of one accepted connection. Written at every request, so it is plain fields and no closures. */
export class Connection {
  /** As accepted. */
  readonly socket: SocketInside
  /** What the application protocol reads from: the socket, or the TLS stream on top of it. */
  stream: SocketInside
  /** Requests received. */
  requests = 0
  /** Requests received and not yet answered in full; more than one only with pipelining. */
  inFlight = 0
  /** Of the newest request in flight. */
  response: ResponseInside | null = null
  /** When the oldest request in flight was received, on the clock of `performance.now()`. */
  startedAtMs = 0
  /** When the further requests in flight were received, oldest first. */
  pipelinedAtMs: number[] | null = null
  /** The next response says `Connection: close`. */
  leaving = false
  /** Null until it is asked. */
  isFromTrustedProxy: boolean | null = null
  upgrade: Upgrade | null = null
  /** On its way to another worker: nothing may be done to the socket, which may be the other's already. */
  isMoving = false
  /** It came here after its requests, and would come back from wherever it was sent. */
  hasFollowed = false
  /** Set where HTTP/2 is spoken; requests in flight are its streams then. */
  session: Http2Session | null = null
  /** The requests of that session that are not answered in full. */
  streams: Set<Http2Stream> | null = null

  /** Another worker forwards over it: its client is counted there. */
  readonly isForwarded: boolean

  constructor(socket: SocketInside) {
    this.isForwarded = isPrivate(socket.server)
    this.socket = socket
    this.stream = socket
  }
}

export interface Upgrade {
  readonly isWebSocket: boolean
  /** What had been written before the switch of protocols; as long as no more was written, the switch is not made. */
  readonly bytesWritten: number
  /** On the clock of `performance.now()`. */
  readonly atMs: number
}

/** What a connection is doing, as far as a drain or a report cares. */
export type Activity =
  /** Not HTTP: it alone knows when it is done. */
  | 'raw'
  /** Switched from HTTP to another protocol. */
  | 'upgraded'
  /** HTTP/2, which has goodbyes of its own. */
  | 'multiplexed'
  | 'answering'
  /** An event stream that has begun: it ends when somebody ends it. */
  | 'streaming'
  /** An engine.io poll: it waits for news by design. */
  | 'polling'
  /** HTTP with no request in flight; part of the next head may be here. */
  | 'quiet'

export function activityOf(connection: Connection): Activity {
  if (connection.session) return 'multiplexed'
  if (connection.inFlight > 0) return answering(connection)
  const { stream } = connection
  if (!isHttpServer(stream.server) && !isHttpServer(connection.socket.server)) return 'raw'
  if (connection.upgrade || hasLeftHttp(connection)) return 'upgraded'
  return 'quiet'
}

/** An upgrade and CONNECT take the parser away; a socket below TLS never has one, and before the handshake nothing is above it. */
function hasLeftHttp({ stream, socket, requests }: Connection): boolean {
  return !stream.parser && !stream.destroyed && (requests > 0 || stream !== socket)
}

function answering({ response }: Connection): Activity {
  if (response && isEventStream(response)) return 'streaming'
  return response && isLongPoll(response) ? 'polling' : 'answering'
}

/** Headers given to `writeHead()` are kept nowhere but in the head as it was sent. */
export function isEventStream(response: ResponseInside): boolean {
  return response._header?.includes('text/event-stream') ?? false
}

export function isLongPoll(response: ResponseInside): boolean {
  const { method, url } = response.req
  return method === 'GET' && url !== undefined && url.includes('transport=polling') && url.includes('EIO=')
}
