import type { Duplex } from 'node:stream'

/** As much of socket.io's `Server` as is needed: any version's will do. */
export interface SocketIOServer {
  readonly engine?: unknown
  adapter(adapter: never): unknown
}

interface Engine {
  readonly clients?: Readonly<Record<string, EngineSocket>>
}

/** The transport-level side of a Socket.IO client. */
export interface EngineSocket {
  close(): void
  readonly transport?: { readonly socket?: { readonly _socket?: Duplex | null } }
}

/** The clients of attached Socket.IO servers. Closing their transport is what makes them connect again by themselves. */
export class EngineSockets {
  readonly #servers = new Set<SocketIOServer>()
  readonly #closed = new WeakSet<EngineSocket>()

  add(server: SocketIOServer): void {
    this.#servers.add(server)
  }

  count(): number {
    return this.#all().length
  }

  /** Those not told to leave yet. */
  remaining(): EngineSocket[] {
    return this.#all().filter((socket) => !this.#closed.has(socket))
  }

  close(socket: EngineSocket): void {
    this.#closed.add(socket)
    try {
      socket.close()
    } catch {
      // a transport in an odd state is ended with its connection
    }
  }

  /** The connections that carry the WebSockets of such clients. */
  streams(): ReadonlySet<Duplex> {
    return new Set(this.#all().flatMap((socket) => streamOf(socket) ?? []))
  }

  #all(): EngineSocket[] {
    return [...this.#servers].flatMap((server) => Object.values((server.engine as Engine | undefined)?.clients ?? {}))
  }
}

/** Null while a client polls. */
export function streamOf(socket: EngineSocket): Duplex | null {
  return socket.transport?.socket?._socket ?? null
}
