import { rmdirSync, rmSync } from 'node:fs'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import net from 'node:net'
import type { Duplex } from 'node:stream'
import type { Route } from '../policy/route.ts'
import { describeClient } from './client-note.ts'
import { type Destination, forwardRequest } from './forward.ts'
import { adoptConnection, type HandOver } from './hand-over.ts'
import { openPrivateServer } from './private-server.ts'
import { keepPrivate } from './servers.ts'
import { tunnel } from './tunnel.ts'

export interface NeighboursParts {
  readonly workerId: number
  readonly secret: string
  /** Where every worker of this fleet has its private socket, named by its id. */
  readonly socketFolder: string
  readonly handOver: HandOver
  onAdopted(socket: net.Socket): void
}

/** The other workers of this fleet: what is theirs goes to them, what is ours comes from them. */
export class Neighbours {
  readonly #parts: NeighboursParts
  /** The app's HTTP servers, in the order in which every worker meets them: a number says which one is meant. */
  readonly #servers: Server[] = []
  /** With the number of the server that is meant. */
  readonly #fromNeighbours = new WeakMap<IncomingMessage, number>()
  readonly #adopted = new WeakSet<object>()
  #isOpen = false
  #isLeaving = false
  #turn = 0
  #routes: readonly Route[] = []
  #leaving: readonly Route[] = []

  constructor(parts: NeighboursParts) {
    this.#parts = parts
  }

  get secret(): string {
    return this.#parts.secret
  }

  get workerId(): number {
    return this.#parts.workerId
  }

  /** Who takes new clients. */
  get routes(): readonly Route[] {
    return this.#routes
  }

  /** Who only keeps the clients it has. */
  get leaving(): readonly Route[] {
    return this.#leaving
  }

  takeRoutes({ routes, leaving }: { readonly routes: readonly Route[]; readonly leaving: readonly Route[] }): void {
    this.#routes = routes
    this.#leaving = leaving
  }

  /** From now on this worker keeps the clients it has, and takes no new ones. */
  leave(): void {
    this.#isLeaving = true
  }

  get isLeaving(): boolean {
    return this.#isLeaving
  }

  /** Who is to have a new client that came to us, as long as we are leaving; null if we keep it. */
  successorFor(request: IncomingMessage): number | null {
    if (!this.#isLeaving || this.isFromNeighbour(request)) return null
    const others = this.#routes.filter(({ workerId }) => workerId !== this.workerId)
    return others[this.#turn++ % others.length]?.workerId ?? null
  }

  /** From now on other workers may send what belongs to this server. */
  serve(server: Server): void {
    if (this.#servers.includes(server)) return
    this.#servers.push(server)
    if (!this.#isOpen) this.#open()
    this.#isOpen = true
  }

  /** Another worker has decided already that this request is ours. */
  isFromNeighbour(request: IncomingMessage): boolean {
    return this.#fromNeighbours.has(request) || this.#adopted.has(request.socket)
  }

  forward(owner: number, request: IncomingMessage, response: ServerResponse, how: Omit<Destination, 'socketPath' | 'describe'>): void {
    forwardRequest(request, response, { ...how, ...this.#wayTo(owner, request) })
  }

  /** Brings a connection that leaves HTTP to its owner: as a socket if it can change hands, else byte by byte. `onGone` is called if the owner is not there. */
  carry(owner: number, request: IncomingMessage, socket: Duplex, head: Buffer, onGone: () => void): void {
    const byBytes = (): void => tunnel(request, socket, head, { ...this.#wayTo(owner, request), onGone })
    // Bytes that were read already, and encryption, cannot change hands.
    if (head.length > 0 || !(socket instanceof net.Socket) || 'encrypted' in socket) return byBytes()
    this.#parts.handOver.give({ owner, server: this.#indexOf(request) }, request, socket, byBytes)
  }

  /** Takes a connection over from another worker; false if it did not arrive, or there is no such server here. */
  adopt(handle: unknown, head: string, serverIndex: number): boolean {
    const server = this.#servers[serverIndex]
    if (!server || !handle) return false
    adoptConnection(server, handle, head, (adopted) => {
      this.#adopted.add(adopted)
      this.#parts.onAdopted(adopted)
    })
    return true
  }

  /** The primary is gone, and with it whoever would tidy up: the last of the orphans takes the folder away. */
  tidyUp(): void {
    rmSync(this.#pathOf(this.workerId), { force: true })
    try {
      rmdirSync(this.#parts.socketFolder)
    } catch {
      // another orphan is still there
    }
  }

  #open(): void {
    openPrivateServer({
      path: this.#pathOf(this.workerId),
      secret: this.#parts.secret,
      ignore: keepPrivate,
      pass: (serverIndex, event, request, ...rest) => {
        this.#fromNeighbours.set(request, serverIndex)
        return this.#servers[serverIndex]?.emit(event, request, ...rest) ?? false
      },
    })
  }

  #wayTo(owner: number, request: IncomingMessage): Pick<Destination, 'socketPath' | 'describe'> {
    return { socketPath: this.#pathOf(owner), describe: () => describeClient(request.socket, this.#indexOf(request), this.#parts.secret) }
  }

  #indexOf(request: IncomingMessage): number {
    const known = this.#fromNeighbours.get(request)
    if (known !== undefined) return known
    const { server } = request.socket as net.Socket & { server?: Server }
    return Math.max(0, server ? this.#servers.indexOf(server) : 0)
  }

  #pathOf(workerId: number): string {
    return `${this.#parts.socketFolder}/${workerId}.sock`
  }
}
