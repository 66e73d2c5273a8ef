import { subscribe } from 'node:diagnostics_channel'
import type { Server } from 'node:net'
import type { Connection } from './connection.ts'
import type { Http2Session, Http2Stream, SocketInside } from './internals.ts'
import { isHttp2Server } from './internals.ts'
import type { Traffic } from './traffic.ts'

let isWatching = false

/** Notices the HTTP/2 sessions of a server, and the requests in them. */
export function watchHttp2(server: Server, traffic: Traffic): void {
  if (!isHttp2Server(server)) return
  server.on('session', (session: Http2Session) => {
    // Without TLS the session begins a moment before its connection is known.
    process.nextTick(() => {
      const connection = connectionOf(session, traffic)
      if (connection) connection.session = session
    })
  })
  if (isWatching) return
  isWatching = true
  watchStreams(traffic)
}

interface Begun {
  readonly connection: Connection
  readonly atMs: number
}

function watchStreams(traffic: Traffic): void {
  const begun = new WeakMap<Http2Stream, Begun>()
  subscribe('http2.server.stream.start', (message) => {
    const { stream } = message as { stream: Http2Stream }
    const connection = stream.session && connectionOf(stream.session, traffic)
    if (!connection) return
    begun.set(stream, { connection, atMs: performance.now() })
    traffic.beginStream(connection)
    connection.streams ??= new Set()
    connection.streams.add(stream)
  })
  subscribe('http2.server.stream.close', (message) => {
    const { stream } = message as { stream: Http2Stream }
    const start = begun.get(stream)
    start?.connection.streams?.delete(stream)
    if (start) traffic.endStream(start.connection, performance.now() - start.atMs, isEventStream(stream))
  })
}

function connectionOf(session: Http2Session, traffic: Traffic): Connection | undefined {
  return session.socket && traffic.connectionOf(session.socket as SocketInside)
}

/** Those that go on until somebody ends them, and that nobody has ended yet. */
export function eventStreamsOf({ streams }: Connection): Http2Stream[] {
  return streams ? [...streams].filter((stream) => isEventStream(stream) && !stream.writableEnded) : []
}

function isEventStream({ sentHeaders }: Http2Stream): boolean {
  return String(sentHeaders?.['content-type']).startsWith('text/event-stream')
}
