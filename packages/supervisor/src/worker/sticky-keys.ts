import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type net from 'node:net'
import type { Duplex } from 'node:stream'
import { ownerOf } from '../policy/route.ts'
import { keyOf, type StickyBy } from '../policy/session-key.ts'
import { complain } from './complain.ts'
import { isHttp2Server, isHttpServer } from './internals.ts'
import type { Neighbours } from './neighbours.ts'
import { RecentKeys } from './recent-keys.ts'
import { trustedNetworks } from './trusted-networks.ts'

type Emit = (this: Server, event: string | symbol, ...args: unknown[]) => boolean

/** Brings every request to the worker its key belongs to, for apps that keep something of their clients in memory. */
export class StickyKeys {
  readonly #sticky: StickyBy
  readonly #neighbours: Neighbours
  readonly #served = new RecentKeys()
  readonly #isTrusted: ((address: string) => boolean) | null

  constructor(sticky: StickyBy, neighbours: Neighbours, trustedProxies: readonly string[]) {
    this.#sticky = sticky
    this.#isTrusted = trustedProxies.length > 0 ? trustedNetworks(trustedProxies) : null
    this.#neighbours = neighbours
  }

  /** Looks at each request of a server before the app does. */
  meet(server: net.Server): void {
    if (isHttpServer(server) || isHttp2Server(server)) this.#watch(server as Server)
    else complain('routing.sticky does nothing for a server that is not HTTP: only requests tell clients apart. Its connections are balanced.')
  }

  #watch(server: Server): void {
    this.#neighbours.serve(server)
    const emitToApp = server.emit as Emit
    const decide = (event: string | symbol, args: readonly unknown[]): boolean => {
      const here = (): void => void Reflect.apply(emitToApp, server, [event, ...args])
      if (event === 'request' || event === 'checkContinue')
        return this.#forwards(args[0] as IncomingMessage, args[1] as ServerResponse, event === 'checkContinue', here)
      return event === 'upgrade' && this.#carries(args[0] as IncomingMessage, args[1] as Duplex, args[2] as Buffer, here)
    }
    const emit: Emit = function (event, ...args) {
      return decide(event, args) || Reflect.apply(emitToApp, this, [event, ...args])
    }
    server.emit = emit as unknown as typeof server.emit
  }

  #forwards(request: IncomingMessage, response: ServerResponse, clientWaits: boolean, here: () => void): boolean {
    const owner = this.#otherOwner(request)
    // An owner that has just gone loses its keys to whoever got the request: the routes follow.
    if (owner !== null)
      this.#neighbours.forward(this.#neighbours.placeOf(owner), request, response, { isRepeatable: false, clientWaits, onGone: here })
    return owner !== null
  }

  #carries(request: IncomingMessage, socket: Duplex, head: Buffer, here: () => void): boolean {
    const owner = this.#otherOwner(request)
    if (owner !== null) this.#neighbours.carry(this.#neighbours.placeOf(owner), request, socket, head, here)
    return owner !== null
  }

  #otherOwner(request: IncomingMessage): number | null {
    const key = keyOf({ headers: request.headers, remoteAddress: request.socket.remoteAddress, isTrusted: this.#isTrusted }, this.#sticky)
    const owner = key === null ? null : this.#ownerOf(key, this.#neighbours.isFromNeighbour(request))
    if (owner !== null && owner !== this.#neighbours.workerId) return owner
    if (key !== null) this.#served.add(key)
    return null
  }

  /** A worker that is leaving has its keys until it is gone, but passes on those that are new to it. */
  #ownerOf(key: string, isFromNeighbour: boolean): number | null {
    const { workerId, routes, leaving, isLeaving } = this.#neighbours
    const isNew = isLeaving && !this.#served.has(key)
    if (isFromNeighbour) return isNew ? ownerOf(key, routes) : null
    const owner = ownerOf(key, [...leaving, ...routes])
    return owner === workerId && isNew ? ownerOf(key, routes) : owner
  }
}
