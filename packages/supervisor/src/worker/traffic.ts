import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import { bucketOf, BUCKETS, toSparse } from '../policy/latency.ts'
import { Connection, isEventStream, isLongPoll } from './connection.ts'
import { hasBody } from './about-request.ts'
import type { ResponseInside, SocketInside } from './internals.ts'
import type { QueueTimes } from './queue-times.ts'

/** Only responses slower than this are asked whether they were slow on purpose; keeps the question out of the hot path. */
const ON_PURPOSE_FROM_MS = 10

const CONNECTION = Symbol('stationmaster.connection')

type Tracked = SocketInside & { [CONNECTION]?: Connection }

interface HttpMoment {
  readonly socket: Tracked
  readonly request: IncomingMessage
  readonly response: ResponseInside
}

/** The connections and requests of this process, seen through Node's diagnostics channels: the app's servers are not touched. */
export class Traffic {
  readonly connections: Set<Connection> = new Set()
  /** Called when a connection came or went. */
  onChange: () => void = () => {}
  #forwarded = 0
  /** Since the last `take()`. */
  #requests = 0
  readonly #latencies = new Uint32Array(BUCKETS)
  readonly #queueTimes: QueueTimes | null
  #leaving = false
  #started = false

  /** @param queueTimes null where no proxy is trusted to tell them */
  constructor(queueTimes: QueueTimes | null = null) {
    this.#queueTimes = queueTimes
  }

  /** Begins to look; a process that never listens is not looked at. */
  start(): void {
    if (this.#started) return
    this.#started = true
    subscribe('net.server.socket', (message) => this.#accepted((message as { socket: Tracked }).socket))
    subscribe('http.server.request.start', (message) => this.#requested(message as HttpMoment))
    subscribe('http.server.response.finish', (message) => this.#answered(message as HttpMoment))
  }

  /** How many connections are of clients of this worker; those over which others forward are counted there. */
  get clients(): number {
    return this.connections.size - this.#forwarded
  }

  /** Counts since the last call. */
  take(): { readonly requests: number; readonly latencies: readonly number[]; readonly queueTimes: readonly number[] } {
    const taken = { requests: this.#requests, latencies: toSparse(this.#latencies), queueTimes: this.#queueTimes?.take() ?? [] }
    this.#requests = 0
    this.#latencies.fill(0)
    return taken
  }

  /** From now on every response that can still say so asks its client to go elsewhere. */
  leave(): void {
    this.#leaving = true
    for (const connection of this.connections) dismiss(connection)
  }

  connectionOf(socket: SocketInside): Connection | undefined {
    const tracked = socket as Tracked
    return tracked[CONNECTION] ?? this.#meetTls(tracked)
  }

  /** A connection that no server of this process accepted: another worker gave it. */
  adopt(socket: SocketInside): void {
    this.#accepted(socket)
  }

  #accepted(socket: Tracked): void {
    const connection = new Connection(socket)
    connection.leaving = this.#leaving
    socket[CONNECTION] = connection
    this.connections.add(connection)
    if (connection.isForwarded) this.#forwarded++
    socket.on('close', () => this.#closed(connection))
    this.onChange()
  }

  #requested({ socket, request, response }: HttpMoment): void {
    const connection = socket[CONNECTION] ?? this.#meetTls(socket)
    if (connection === undefined) return // not accepted by a server of ours, such as a probe
    this.#requests++
    connection.requests++
    this.#queueTimes?.note(request, connection)
    const nowMs = performance.now()
    if (connection.inFlight++ === 0) connection.startedAtMs = nowMs
    else (connection.pipelinedAtMs ??= []).push(nowMs)
    const previous = connection.response
    connection.response = response
    if (connection.leaving) sayGoodbye(connection, previous)
  }

  #answered({ socket, response }: HttpMoment): void {
    const connection = socket[CONNECTION]
    if (connection === undefined || connection.inFlight === 0) return
    const durationMs = performance.now() - connection.startedAtMs
    if (--connection.inFlight === 0) connection.response = null
    else connection.startedAtMs = connection.pipelinedAtMs?.shift() ?? 0
    if (durationMs > ON_PURPOSE_FROM_MS && (isEventStream(response) || isLongPoll(response))) return
    this.#countLatency(durationMs)
  }

  /** A request over HTTP/2. */
  beginStream(connection: Connection): void {
    this.#requests++
    connection.requests++
    connection.inFlight++
  }

  endStream(connection: Connection, durationMs: number, isSlowOnPurpose: boolean): void {
    if (connection.inFlight > 0) connection.inFlight--
    if (!isSlowOnPurpose) this.#countLatency(durationMs)
  }

  #countLatency(durationMs: number): void {
    const bucket = bucketOf(durationMs)
    this.#latencies[bucket] = (this.#latencies[bucket] as number) + 1
  }

  #closed(connection: Connection): void {
    connection.inFlight = 0
    connection.response = null
    this.connections.delete(connection)
    if (connection.isForwarded) this.#forwarded--
    this.onChange()
  }

  /** The first request over TLS: what was accepted is the socket below. */
  #meetTls(stream: Tracked): Connection | undefined {
    const connection = (stream._parent as Tracked | undefined)?.[CONNECTION]
    if (connection === undefined) return undefined
    connection.stream = stream
    stream[CONNECTION] = connection
    return connection
  }
}

/** The next response on this connection, or the one in flight if its head is not sent, says `Connection: close`. */
export function dismiss(connection: Connection): void {
  connection.leaving = true
  if (connection.response) closeAfter(connection, connection.response)
}

/** With pipelining only the last response may say it: what follows a `Connection: close` is not read any more. */
function sayGoodbye(connection: Connection, previous: ResponseInside | null): void {
  closeAfter(connection, connection.response as ResponseInside)
  if (previous && !previous.headersSent) previous.shouldKeepAlive = true
}

/**
 * A response that overtakes its request's body must not close: what the client is still sending would be answered by a reset, which can
 * swallow the response. Whether it does shows when its head is written.
 */
function closeAfter(connection: Connection, response: ResponseInside): void {
  if (response.headersSent) return
  const { req, writeHead } = response
  if (req.complete || !hasBody(req)) {
    response.shouldKeepAlive = false
    return
  }
  response.writeHead = ((...args: unknown[]): unknown => {
    if (req.complete && connection.response === response) response.shouldKeepAlive = false
    return Reflect.apply(writeHead, response, args)
  }) as typeof writeHead
}
