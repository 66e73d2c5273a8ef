import type { Redis } from 'ioredis'
import { ServiceAway, withDeadline } from './away.ts'

const service = 'Redis, which keeps the sessions,'
/** Above the client's own time-out: this one is for promises that ioredis 6.0.0 never settles after a reconnect. */
const deadlineMs = 1_500

export type SessionClient = {
  get(key: string): Promise<string | null>
  set(key: string, value: string, options?: { expiration?: { type: 'EX'; value: number } }): Promise<unknown>
  expire(key: string, seconds: number): Promise<number>
  del(keys: readonly string[]): Promise<number>
  mGet(keys: readonly string[]): Promise<(string | null)[]>
  scanIterator(options: { MATCH: string; COUNT: number }): AsyncIterable<string[]>
}

/**
 * connect-redis 10 speaks the dialect of the package `redis`. Given a bare ioredis it compiles, reads nothing, and saves no session,
 * silently; this translates the six commands that it uses.
 */
export function sessionClient(redis: Redis | null): SessionClient {
  const call = async <T>(command: (client: Redis) => Promise<T>): Promise<T> => {
    if (!redis) throw new ServiceAway(service, 'REDIS_URL is not set')
    try {
      return await withDeadline(command(redis), deadlineMs, service)
    } catch (error) {
      throw error instanceof ServiceAway ? error : new ServiceAway(service, error)
    }
  }
  return {
    get: (key) => call((client) => client.get(key)),
    set: (key, value, options) => {
      const seconds = options?.expiration?.value
      return call((client) => (seconds === undefined ? client.set(key, value) : client.set(key, value, 'EX', seconds)))
    },
    expire: (key, seconds) => call((client) => client.expire(key, seconds)),
    del: (keys) => call((client) => client.del([...keys])),
    mGet: (keys) => call((client) => client.mget([...keys])),
    async *scanIterator({ MATCH, COUNT }) {
      let cursor = '0'
      do {
        const [next, keys] = await call((client) => client.scan(cursor, 'MATCH', MATCH, 'COUNT', COUNT))
        yield keys
        cursor = next
      } while (cursor !== '0')
    },
  }
}
