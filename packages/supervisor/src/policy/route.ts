/** A ready worker as a place that keys can belong to. */
export interface Route {
  readonly workerId: number
  /** Kept by the worker that replaces this one, so that a reload moves no key. */
  readonly slot: number
}

/** Another replica, and where its workers take what is forwarded to them. */
export interface PeerAddress {
  /** Part of the ids of its sessions. No two runs of a supervisor have the same. */
  readonly tag: string
  readonly host: string
  readonly port: number
}

/**
 * The worker a key belongs to, by rendezvous hashing: each route is weighed with the key, the heaviest wins. The same key finds the same slot while the routes
 * stay the same; a route that comes takes only what it wins (one in n + 1 keys), one that goes gives away only its own. Null if there is no route.
 */
export function ownerOf(key: string, routes: readonly Route[]): number | null {
  let owner: number | null = null
  let heaviest = -1
  for (const { workerId, slot } of routes) {
    const weight = weigh(key, slot)
    if (weight <= heaviest) continue
    heaviest = weight
    owner = workerId
  }
  return owner
}

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

/** 32 bits that depend evenly on every character and on the slot. */
function weigh(key: string, slot: number): number {
  return mix(hashOf(key) ^ Math.imul(slot + 1, 0x9e3779b1))
}

/** 32 bits that depend on every character. */
export function hashOf(key: string): number {
  let hash = FNV_OFFSET
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), FNV_PRIME)
  return hash
}

/** The finalizer of MurmurHash3: neighbouring inputs give unrelated outputs. */
function mix(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
