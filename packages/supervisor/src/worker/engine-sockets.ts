import type { Duplex } from 'node:stream'
import { countAnswers, owesAnswers, settled } from './unanswered.ts'

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
  /** `discard`: without waiting for the client's next poll. */
  close(discard?: boolean): void
  readonly transport?: {
    readonly name?: string
    readonly writable?: boolean
    /** A poll that brings something is under way; closing would abort it. */
    readonly dataReq?: unknown
    readonly socket?: { readonly _socket?: Duplex | null }
  }
}

/** The clients of attached Socket.IO servers. Closing their transport is what makes them connect again by themselves. */
export class EngineSockets {
  readonly #servers = new Set<SocketIOServer>()
  /** When each was told to leave, on the clock of `performance.now()`. */
  readonly #closed = new WeakMap<EngineSocket, number>()

  add(server: SocketIOServer): void {
    this.#servers.add(server)
    countAnswers(server)
  }

  count(): number {
    return this.#all().length
  }

  /** True if a client is there that comes and goes with its requests. */
  isPolled(): boolean {
    return this.#all().some(({ transport }) => transport?.name === 'polling')
  }

  /** Those not told to leave yet. */
  remaining(): EngineSocket[] {
    return this.#all().filter((socket) => !this.#closed.has(socket))
  }

  /** Those of them that are connected and have no acknowledgement under way, in either direction: nothing is lost when they leave. */
  atRest(): EngineSocket[] {
    return [...this.#servers].flatMap((server) => {
      const connections = settled(server)
      return clientsOf(server).filter((socket) => !this.#closed.has(socket) && !owesAnswers(socket) && (connections?.has(socket) ?? true))
    })
  }

  close(socket: EngineSocket): void {
    this.#closed.set(socket, performance.now())
    end(socket, false)
  }

  /** Those told longer ago that have not come to hear it: their session ends without them. */
  giveUp(afterMs: number): void {
    const beforeMs = performance.now() - afterMs
    for (const socket of this.#all()) if ((this.#closed.get(socket) ?? Number.POSITIVE_INFINITY) <= beforeMs) end(socket, true)
  }

  /** Ends what is left, so that each session is kept for whom the client finds next. */
  endAll(): void {
    for (const socket of this.#all()) end(socket, true)
  }

  /** The connections that carry the WebSockets of such clients. */
  streams(): ReadonlySet<Duplex> {
    return new Set(this.#all().flatMap((socket) => streamOf(socket) ?? []))
  }

  #all(): EngineSocket[] {
    return [...this.#servers].flatMap(clientsOf)
  }
}

function clientsOf(server: SocketIOServer): EngineSocket[] {
  return Object.values((server.engine as Engine | undefined)?.clients ?? {})
}

/** False for a polling client between two polls: it hears nothing before the next. */
export function isListening({ transport }: EngineSocket): boolean {
  return transport?.name !== 'polling' || (transport.writable === true && !transport.dataReq)
}

function end(socket: EngineSocket, discard: boolean): void {
  try {
    socket.close(discard)
  } catch {
    // a transport in an odd state is ended with its connection
  }
}

/** Null while a client polls. */
export function streamOf(socket: EngineSocket): Duplex | null {
  return socket.transport?.socket?._socket ?? null
}
