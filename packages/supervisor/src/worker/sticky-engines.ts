import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { rmdirSync, rmSync } from 'node:fs'
import net from 'node:net'
import type { Duplex } from 'node:stream'
import type { SocketIOServer } from './engine-sockets.ts'
import { forwardRequest } from './forward.ts'
import { adoptConnection, type HandOver } from './hand-over.ts'
import { openPrivateServer } from './private-server.ts'
import type { SessionIds } from './session-ids.ts'
import { tunnel } from './tunnel.ts'

/** As much of engine.io's `Server` as is needed. */
interface Engine {
  generateId(request: unknown): unknown
  handleRequest(request: IncomingMessage, response: ServerResponse): void
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

interface AttachedServer extends SocketIOServer {
  readonly httpServer?: Server
  bind(engine: Engine): unknown
}

export interface StickyParts {
  readonly workerId: number
  readonly secret: string
  /** Where every worker of this fleet has its private socket, named by its id. */
  readonly socketFolder: string
  readonly ids: SessionIds
  readonly handOver: HandOver
  /** Called for the private server before it listens. */
  ignore(server: Server): void
  onAdopted(socket: net.Socket): void
}

/**
 * Brings every request of a Socket.IO session to the worker that has the session, whichever worker accepted the connection. The id names
 * its owner; an owner that is gone has no private socket any more, and then engine.io itself says "Session ID unknown".
 */
export class StickyEngines {
  readonly #parts: StickyParts
  readonly #servers = new Set<AttachedServer>()
  #isOpen = false

  constructor(parts: StickyParts) {
    this.#parts = parts
  }

  add(server: SocketIOServer): void {
    const attached = server as AttachedServer
    if (!this.#isOpen) this.#open()
    this.#isOpen = true
    this.#servers.add(attached)
    if (attached.engine) this.#prepare(attached.engine as Engine)
    // A server made without an HTTP server gets its engine when it is attached to one.
    const bind = attached.bind
    attached.bind = (engine: Engine) => {
      this.#prepare(engine)
      return bind.call(attached, engine)
    }
  }

  /** Takes a connection over from another worker; false if there is no server here that could. */
  adopt(handle: unknown, head: string): boolean {
    const server = [...this.#servers].find((candidate) => candidate.httpServer)?.httpServer
    if (!server || !handle) return false
    adoptConnection(server, handle, head, this.#parts.onAdopted)
    return true
  }

  /** The primary is gone, and with it whoever would tidy up: the last of the orphans takes the folder away. */
  tidyUp(): void {
    rmSync(this.#pathOf(this.#parts.workerId), { force: true })
    try {
      rmdirSync(this.#parts.socketFolder)
    } catch {
      // another orphan is still there
    }
  }

  #open(): void {
    const toServers = (event: string, ...args: readonly unknown[]): void => {
      for (const { httpServer } of this.#servers) {
        if (httpServer) return void httpServer.emit(event, ...args)
      }
    }
    openPrivateServer({
      path: this.#pathOf(this.#parts.workerId),
      secret: this.#parts.secret,
      onRequest: (request, response) => toServers('request', request, response),
      onUpgrade: (request, socket, head) => toServers('upgrade', request, socket, head),
      ignore: this.#parts.ignore,
    })
  }

  #prepare(engine: Engine): void {
    const { ids, secret } = this.#parts
    const handleRequest = engine.handleRequest.bind(engine)
    const handleUpgrade = engine.handleUpgrade.bind(engine)
    engine.generateId = () => ids.make()
    engine.handleRequest = (request, response) => {
      const owner = this.#otherOwner(request)
      if (owner === null) return handleRequest(request, response)
      forwardRequest(request, response, { socketPath: this.#pathOf(owner), secret, onGone: () => handleRequest(request, response) })
    }
    engine.handleUpgrade = (request, socket, head) => {
      const owner = this.#otherOwner(request)
      if (owner === null) return handleUpgrade(request, socket, head)
      const carry = (): void => tunnel(request, socket, head, this.#pathOf(owner), secret)
      // Bytes that were read already, and encryption, cannot change hands.
      if (head.length > 0 || !isPlain(socket)) return carry()
      this.#parts.handOver.give(owner, request, socket, carry)
    }
  }

  #otherOwner(request: IncomingMessage): number | null {
    const id = sessionIdOf(request.url ?? '')
    const owner = id === null ? null : this.#parts.ids.ownerOf(id)
    return owner === this.#parts.workerId ? null : owner
  }

  #pathOf(workerId: number): string {
    return `${this.#parts.socketFolder}/${workerId}.sock`
  }
}

/** Only from the query of the request target: the same text in a header means nothing. */
function sessionIdOf(url: string): string | null {
  const query = url.indexOf('?')
  return query === -1 ? null : new URLSearchParams(url.slice(query + 1)).get('sid')
}

function isPlain(socket: Duplex): socket is net.Socket {
  return socket instanceof net.Socket && !('encrypted' in socket)
}
