import type net from 'node:net'
import type { PeerAddress } from '../policy/route.ts'
import { builtin } from './builtin.ts'
import { dial } from './dial.ts'
import { checkPeer } from './peer-check.ts'
import { createSessionIds, type Place, type SessionIds } from './session-ids.ts'
import type { Way } from './way.ts'

/** What this replica is among its peers. */
export interface ReplicaSettings {
  readonly tag: string
  /** The same in all replicas. */
  readonly secret: string
  readonly listen: { readonly host: string; readonly port: number }
}

/**
 * Who is not heard of any more may still be there: whether it is, it tells itself when it is called. So it is forgotten after this, or as soon as it does
 * not answer.
 */
const UNHEARD_MS = 60_000
/**
 * A replica that has just begun may have clients before all others have heard of it, which takes a beat and what a busy Redis takes to answer. Its signature is
 * true, so a request waits this long for it, and only the first ones of a replica that is gone do.
 */
const NEWS_MS = 5000
/** Whichever worker takes the connection: ids begin with 1. */
export const ANYBODY = 0
/** Of replicas that are gone: their clients come back with their old sessions within seconds. */
const REMEMBERED_GONE = 100

/** The other replicas of this app, as far as this one has heard of them, and the ways to their workers. */
export class Peers {
  readonly tag: string
  readonly listen: ReplicaSettings['listen']
  /** Signs sessions, so that every replica knows whose they are. */
  readonly sessionIds: SessionIds
  /** Signs knocks: what a connection begins with, before it is given to the worker that it asks for. */
  readonly knocks: SessionIds
  readonly noteSecret: string
  readonly tlsKey: Buffer
  readonly #addresses = new Map<string, PeerAddress>()
  /** Those that are not heard of any more, and when they are forgotten. */
  readonly #silent = new Map<string, NodeJS.Timeout>()
  readonly #open = new Map<net.Socket, string>()
  readonly #gone = new Set<string>()
  readonly #checked = new Set<string>()
  readonly #waiting = new Map<string, Set<() => void>>()

  constructor({ tag, secret, listen }: ReplicaSettings) {
    this.tag = tag
    this.listen = listen
    this.sessionIds = createSessionIds(keyFor('sessions', secret).toString('base64url'))
    this.knocks = createSessionIds(keyFor('knocks', secret).toString('base64url'))
    this.noteSecret = keyFor('notes', secret).toString('base64url')
    this.tlsKey = keyFor('tls', secret)
  }

  /** These are the others now, as far as one hears. */
  take(peers: readonly PeerAddress[]): void {
    const heard = new Set(peers.map(({ tag }) => tag))
    for (const tag of this.#addresses.keys())
      if (!heard.has(tag) && !this.#silent.has(tag)) this.#silent.set(tag, setTimeout(() => this.#forget(tag), UNHEARD_MS).unref())
    for (const peer of peers) {
      clearTimeout(this.#silent.get(peer.tag))
      this.#silent.delete(peer.tag)
      this.#addresses.set(peer.tag, peer)
      this.#gone.delete(peer.tag)
      this.#settle(peer.tag)
    }
  }

  /** Calls those that were not called before. */
  check(): void {
    for (const { tag, host, port } of this.#addresses.values()) {
      if (this.#checked.has(tag)) continue
      this.#checked.add(tag)
      const call = (): net.Socket => this.#call({ replica: tag, workerId: ANYBODY }, { tag, host, port }, false)
      checkPeer(host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`, call, () => this.#addresses.has(tag))
    }
  }

  /** Null if we have not heard of that replica, or not any more. */
  wayTo(place: Place): Way | null {
    const address = this.#addresses.get(place.replica ?? '')
    if (!address) return null
    return {
      name: `${address.tag}.${place.workerId}`,
      taken: 'secureConnect',
      open: ({ allowHalfOpen }) => this.#call(place, address, allowHalfOpen),
    }
  }

  /** Calls back when that replica was heard of, or is not expected any more. */
  whenHeard({ replica }: Place, done: () => void): void {
    if (replica === null || this.#gone.has(replica) || this.#addresses.has(replica)) return done()
    const waiting = this.#waiting.get(replica)
    if (waiting) return void waiting.add(done)
    this.#waiting.set(replica, new Set([done]))
    setTimeout(() => this.#waiting.has(replica) && this.#forget(replica), NEWS_MS).unref()
  }

  /** Its connections end: nobody at their other end would end them. */
  #forget(tag: string): void {
    clearTimeout(this.#silent.get(tag))
    this.#silent.delete(tag)
    this.#addresses.delete(tag)
    const [oldest] = this.#gone
    if (this.#gone.size >= REMEMBERED_GONE && oldest !== undefined) this.#gone.delete(oldest)
    this.#gone.add(tag)
    this.#settle(tag)
    for (const [socket, owner] of this.#open) if (owner === tag) socket.destroy()
  }

  #settle(tag: string): void {
    const waiting = this.#waiting.get(tag) ?? []
    this.#waiting.delete(tag)
    for (const done of waiting) done()
  }

  #call(place: Place, { tag, host, port }: PeerAddress, allowHalfOpen: boolean): net.Socket {
    const socket = dial({ host, port, allowHalfOpen, knock: this.knocks.make(place), key: this.tlsKey })
    this.#open.set(socket, tag)
    const miss = (): void => {
      if (this.#silent.has(tag)) this.#forget(tag)
    }
    socket.once('error', miss).once('secureConnect', () => socket.off('error', miss))
    return socket.once('close', () => this.#open.delete(socket))
  }
}

/** One secret, and a key of its own for each purpose: what was made for one means nothing to another. */
function keyFor(purpose: string, secret: string): Buffer {
  return builtin('node:crypto').createHmac('sha256', secret).update(`stationmaster ${purpose}`).digest()
}
