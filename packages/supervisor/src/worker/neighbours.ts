import { rmdirSync, rmSync } from 'node:fs'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import net from 'node:net'
import type { Duplex } from 'node:stream'
import type { PeerAddress, Route } from '../policy/route.ts'
import { describeClient } from './client-note.ts'
import { Follow, settleIn } from './follow.ts'
import { type Destination, forwardRequest } from './forward.ts'
import { adoptConnection, type HandOver, type Recipient } from './hand-over.ts'
import { openPeerPort, type PeerPort } from './peer-port.ts'
import { Peers, type ReplicaSettings } from './peers.ts'
import { openPrivateServer } from './private-server.ts'
import { headOf } from './request-head.ts'
import { keepPrivate } from './servers.ts'
import { createSessionIds, type Place, type SessionIds } from './session-ids.ts'
import { speakFor } from './spoken-for.ts'
import type { Traffic } from './traffic.ts'
import { tunnel } from './tunnel.ts'
import { type Way, wayThrough } from './way.ts'

export interface NeighboursParts {
  readonly workerId: number
  readonly secret: string
  /** Where every worker of this fleet has its private socket, named by its id. */
  readonly socketFolder: string
  readonly handOver: HandOver
  readonly traffic: Pick<Traffic, 'adopt' | 'connectionOf'>
  /** The other replicas; null where replicas do not forward to each other. */
  readonly replica: ReplicaSettings | null
}

interface Published {
  readonly routes: readonly Route[]
  readonly leaving: readonly Route[]
  readonly peers: readonly PeerAddress[]
}

/** The other workers, of this replica and of others: what is theirs goes to them, what is ours comes from them. */
export class Neighbours {
  readonly sessionIds: SessionIds
  /** This worker, as others know it. */
  readonly here: Place
  readonly #parts: NeighboursParts
  readonly #peers: Peers | null
  /** The app's HTTP servers, in the order in which every worker meets them: a number says which one is meant. */
  readonly #servers: Server[] = []
  /** With the number of the server that is meant. */
  readonly #fromNeighbours = new WeakMap<IncomingMessage, number>()
  readonly #adopted = new WeakSet<object>()
  readonly #follow: Follow
  #peerPort: PeerPort | null = null
  #isOpen = false
  #isLeaving = false
  #turn = 0
  #routes: readonly Route[] = []
  #leaving: readonly Route[] = []

  constructor(parts: NeighboursParts) {
    const { replica, secret, workerId } = parts
    const peers = replica && new Peers(replica)
    this.#parts = parts
    this.#peers = peers
    this.sessionIds = peers?.sessionIds ?? createSessionIds(secret)
    this.here = { replica: peers?.tag ?? null, workerId }
    this.#follow = new Follow({
      connectionOf: (socket) => parts.traffic.connectionOf(socket),
      takes: (owner) => !this.#isLeaving && this.#routes.some((route) => route.workerId === owner),
      serves: (server) => this.#servers.includes(server),
      give: (owner, request, onRefused) => this.#give({ owner, server: this.#indexOf(request) }, '', request.socket, onRefused),
    })
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

  takeRoutes({ routes, leaving, peers }: Published): void {
    this.#routes = routes
    this.#leaving = leaving
    this.#peers?.take(peers)
    // One of the workers is enough.
    if (routes[0]?.workerId === this.workerId) this.#peers?.check()
  }

  /** From now on this worker keeps the clients it has, and takes no new ones. */
  leave(): void {
    this.#isLeaving = true
  }

  get isLeaving(): boolean {
    return this.#isLeaving
  }

  /** Who is to have a new client that came to us, as long as we are leaving; null if we keep it. */
  successorFor(request: IncomingMessage): Place | null {
    if (!this.#isLeaving || this.isFromNeighbour(request)) return null
    const others = this.#routes.filter(({ workerId }) => workerId !== this.workerId)
    const successor = others[this.#turn++ % others.length]
    return successor ? this.placeOf(successor.workerId) : null
  }

  /** From now on other workers may send what belongs to this server. */
  serve(server: Server): void {
    if (this.#servers.includes(server)) return
    this.#servers.push(server)
    if (!this.#isOpen) this.#open()
    this.#isOpen = true
  }

  /** A worker of this replica. */
  placeOf(workerId: number): Place {
    return { replica: this.here.replica, workerId }
  }

  isHere({ replica, workerId }: Place): boolean {
    return workerId === this.workerId && replica === this.here.replica
  }

  /** Another worker has decided already that this request is ours. */
  isFromNeighbour(request: IncomingMessage): boolean {
    return this.#fromNeighbours.has(request) || this.#adopted.has(request.socket)
  }

  forward(owner: Place, request: IncomingMessage, response: ServerResponse, how: Omit<Destination, 'way' | 'describe'>): void {
    if (owner.replica === this.here.replica) this.#follow.note(owner.workerId, request, response)
    this.#find(owner, (way) => {
      if (response.destroyed) return
      if (way) forwardRequest(request, response, { ...how, way, describe: this.#noteFor(owner, request) })
      else how.onGone()
    })
  }

  /** Brings a connection that leaves HTTP to its owner: as a socket if it can change hands, else byte by byte. `serveHere` is called if the owner is not there. */
  carry(owner: Place, request: IncomingMessage, socket: Duplex, head: Buffer, serveHere: () => void): void {
    const release = speakFor(socket)
    const onGone = (): void => {
      release()
      serveHere()
    }
    const byBytes = (): void =>
      this.#find(owner, (way) => {
        if (way) tunnel(request, socket, head, { way, describe: this.#noteFor(owner, request), onGone, onAnswer: release })
        else onGone()
      })
    // Between machines, with bytes that were read already, or with encryption, a connection cannot change hands.
    if (owner.replica !== this.here.replica || head.length > 0 || !(socket instanceof net.Socket) || 'encrypted' in socket) return byBytes()
    this.#give({ owner: owner.workerId, server: this.#indexOf(request) }, headOf(request), socket, byBytes)
  }

  #give(to: Recipient, head: string, socket: net.Socket, onRefused: () => void): void {
    const connection = this.#parts.traffic.connectionOf(socket)
    if (connection) connection.isMoving = true
    this.#parts.handOver.give(to, head, socket, () => {
      if (connection) connection.isMoving = false
      onRefused()
    })
  }

  /** Takes a connection over from another worker; false if it did not arrive, or there is no such server here. */
  adopt(handle: unknown, head: string, serverIndex: number | null): boolean {
    const server = serverIndex === null ? this.#peerPort : this.#servers[serverIndex]
    const comesBetweenRequests = head === '' && serverIndex !== null
    // Who leaves looks at what it had when it began to.
    if (!server || !handle || (comesBetweenRequests && this.#isLeaving)) return false
    const socket = adoptConnection(handle, head)
    if ('admit' in server) {
      server.admit(socket)
      this.#parts.traffic.adopt(socket)
      return true
    }
    // The next ones are looked at as if it had been accepted here.
    if (comesBetweenRequests) Object.assign(socket, { server })
    else this.#adopted.add(socket)
    this.#parts.traffic.adopt(socket)
    if (comesBetweenRequests) settleIn(socket, server, this.#parts.traffic.connectionOf(socket))
    server.emit('connection', socket)
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
    const peers = this.#peers
    const privateServer = openPrivateServer({
      path: this.#pathOf(this.workerId),
      secret: this.#parts.secret,
      ignore: keepPrivate,
      pass: (serverIndex, event, request, ...rest) => {
        this.#fromNeighbours.set(request, serverIndex)
        return this.#servers[serverIndex]?.emit(event, request, ...rest) ?? false
      },
    })
    if (!peers) return
    this.#peerPort = openPeerPort({
      peers,
      workerId: this.workerId,
      give: (owner, read, socket) => this.#parts.handOver.give({ owner, server: null }, read.toString('latin1'), socket, () => socket.destroy()),
      serve: (stream) => privateServer.serve(stream, peers.noteSecret),
    })
  }

  /** At once where it is known; null if there is no way. */
  #find(owner: Place, done: (way: Way | null) => void): void {
    const peers = this.#peers
    if (owner.replica === this.here.replica) done(wayThrough(this.#pathOf(owner.workerId)))
    else if (peers) peers.whenHeard(owner, () => done(peers.wayTo(owner)))
    else done(null)
  }

  #noteFor({ replica }: Place, request: IncomingMessage): () => string {
    const { secret } = this.#parts
    return () => describeClient(request.socket, this.#indexOf(request), replica === this.here.replica ? secret : (this.#peers?.noteSecret ?? ''))
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
