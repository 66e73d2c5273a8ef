import { builtin } from './builtin.ts'

/** A worker as it is named in all replicas. */
export interface Place {
  /** The tag of its replica; null where replicas do not forward to each other. */
  readonly replica: string | null
  readonly workerId: number
}

/** Enough that nobody guesses a session; as many as engine.io uses itself. */
const RANDOM_BYTES = 15
/** Enough that nobody makes up an id that aims at a worker: a forged one is as good as an unknown one. */
const TAG_BYTES = 8
const TAG_LENGTH = Math.ceil((TAG_BYTES * 4) / 3)
const SHAPE = /^(?:([0-9a-z]{1,16})\.)?([0-9a-z]{1,11})-[\w-]{20}$/

/** Ids that name a worker, signed: of the sessions it owns. No map is needed to find the owner, and none can go stale. */
export interface SessionIds {
  make(owner: Place): string
  /** The worker that this id names; null if nobody who knows the secret made it. */
  ownerOf(id: string): Place | null
}

/**
 * @param secret the same for all workers that understand each other's ids
 * @example
 * const ids = createSessionIds(secret)
 * ids.ownerOf(ids.make({ replica: null, workerId: 3 })) // { replica: null, workerId: 3 }
 */
export function createSessionIds(secret: string): SessionIds {
  const { createHmac, randomBytes } = builtin('node:crypto')
  const tagOf = (body: string): string => createHmac('sha256', secret).update(body).digest().subarray(0, TAG_BYTES).toString('base64url')
  return {
    make({ replica, workerId }) {
      const body = `${replica === null ? '' : `${replica}.`}${workerId.toString(36)}-${randomBytes(RANDOM_BYTES).toString('base64url')}`
      return body + tagOf(body)
    },
    ownerOf(id) {
      const body = id.slice(0, -TAG_LENGTH)
      const [, replica = null, workerId] = SHAPE.exec(body) ?? []
      if (workerId === undefined || !isSame(id.slice(-TAG_LENGTH), tagOf(body))) return null
      return { replica, workerId: Number.parseInt(workerId, 36) }
    },
  }
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && builtin('node:crypto').timingSafeEqual(a, b)
}
