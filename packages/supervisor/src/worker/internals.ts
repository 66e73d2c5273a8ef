/** What this folder uses of Node beyond its documented API, in one place. Each was read and tried in Node 22, 24 and 26. */
import type { ServerResponse } from 'node:http'
import type { Server, Socket } from 'node:net'

/** A connection as libuv sees it. */
export interface AcceptedHandle {
  readonly fd?: number
}

/** A bound socket as libuv sees it; arrives over IPC, or belongs to a server. */
export interface ListenHandle {
  onconnection: ((this: ListenHandle, error: number, client: AcceptedHandle | undefined) => void) | undefined
  listen(backlog: number): number
  close(done?: () => void): void
  ref(): void
  unref(): void
  getAsyncId(): number
  /** Absent for Unix sockets. */
  getsockname?(out: object): number
  readonly fd?: number
}

/** What `net.Server.listen` asks of `cluster._getServer` inside a worker. */
export interface ServerQuery {
  readonly address: string | null
  /** -1 for Unix sockets, null for descriptors. */
  readonly port: number | null
  readonly addressType: number | string | null
  readonly fd?: number | undefined
  /** Bit 0: IPv6 only. */
  readonly flags?: number | undefined
}

export type GetServer = (server: object, query: ServerQuery, reply: (error: number | null, handle?: unknown) => void) => void

/** An accepted socket as libuv sees it. */
export interface RawHandle {
  /** The stream's own note of whether it reads. */
  reading: boolean
  readStart(): number
  readStop(): number
  close(done?: () => void): void
}

export interface ServerInside extends Server {
  _handle: { close(): void } | null
  /** Counts the calls of `listen()` and `close()`: an answer to an older call is void. */
  _listeningId: number
}

export interface SocketInside extends Socket {
  readonly server?: Server
  /** Of a TLS stream: the socket below it. */
  readonly _parent?: Socket
  /** The HTTP parser while HTTP is spoken; taken away by an upgrade. */
  readonly parser?: object | null
}

/** The HTTP parsers of a server, one per connection, under a symbol described as `http.server.connections`. */
export interface ConnectionsList {
  /** Those between two requests. A connection that never sent anything is not among them. */
  idle(): unknown[]
}

export interface ResponseInside extends ServerResponse {
  /** The head as it was sent, or null. */
  readonly _header: string | null
  /** Says something before the answer; the public methods say some kinds only, and change what is said. */
  _writeRaw(text: string, encoding: BufferEncoding): boolean
}

/** The process' IPC channel; counts who needs the process to stay alive for it. */
export interface CountedChannel {
  refCounted(): void
  unrefCounted(): void
}

/** As much of an HTTP/2 session as is needed to say goodbye. */
export interface Http2Session {
  /** A stand-in for the socket, which must not be written to. */
  readonly socket?: Socket | undefined
  /** True from `close()` on. */
  readonly closed: boolean
  /** Tells the client with GOAWAY which of its requests are the last, and ends the session when they are answered. */
  close(): void
}

export interface Http2Stream {
  readonly session?: Http2Session | undefined
  readonly sentHeaders?: Readonly<Record<string, unknown>> | undefined
  readonly writableEnded: boolean
  write(...args: unknown[]): boolean
  end(...args: unknown[]): unknown
}

/** True for the servers of node:http2, with and without TLS. */
export function isHttp2Server(server: unknown): boolean {
  return typeof (server as { updateSettings?: unknown } | null | undefined)?.updateSettings === 'function'
}

/** True for the servers of node:http and node:https, and for a node:http2 server with TLS, which may speak HTTP/1 too. */
export function isHttpServer(server: unknown): boolean {
  return typeof (server as { closeIdleConnections?: unknown } | null | undefined)?.closeIdleConnections === 'function'
}

/** True for the servers of node:tls and those built on it. */
export function isTlsServer(server: object): boolean {
  return 'setSecureContext' in server
}
