import { builtin } from './builtin.ts'

/** Enough that nobody guesses a session; as many as engine.io uses itself. */
const RANDOM_BYTES = 15
/** Enough that nobody makes up an id that aims at a worker: a forged one is as good as an unknown one. */
const TAG_BYTES = 8
const TAG_LENGTH = Math.ceil((TAG_BYTES * 4) / 3)
const SHAPE = /^([0-9a-z]{1,11})-[\w-]{20}$/

/** Session ids that name the worker which owns the session, signed. No map is needed to find the owner, and none can go stale. */
export interface SessionIds {
  make(): string
  /** The id of the worker that made this session id; null if none of this fleet did. */
  ownerOf(id: string): number | null
}

/**
 * @param secret the same for all workers of a fleet
 * @example
 * const ids = createSessionIds(secret, 3)
 * ids.ownerOf(ids.make()) // 3
 */
export function createSessionIds(secret: string, workerId: number): SessionIds {
  const { createHmac, randomBytes } = builtin('node:crypto')
  const tagOf = (body: string): string => createHmac('sha256', secret).update(body).digest().subarray(0, TAG_BYTES).toString('base64url')
  return {
    make() {
      const body = `${workerId.toString(36)}-${randomBytes(RANDOM_BYTES).toString('base64url')}`
      return body + tagOf(body)
    },
    ownerOf(id) {
      const body = id.slice(0, -TAG_LENGTH)
      const owner = SHAPE.exec(body)?.[1]
      if (owner === undefined || !isSame(id.slice(-TAG_LENGTH), tagOf(body))) return null
      return Number.parseInt(owner, 36)
    },
  }
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && builtin('node:crypto').timingSafeEqual(a, b)
}
