import { once } from 'node:events'
import { Redis } from 'ioredis'
import { complain } from './away.ts'

/** Long enough for a Redis that starts at the same moment, short enough not to hold up a boot without Redis. */
const bootWaitMs = 2_000

/**
 * A client that fails at once while Redis is away, instead of queueing without a bound: a request can answer 503, and nothing is sent
 * twice after a reconnect.
 */
export async function openRedis(url: string | undefined): Promise<Redis | null> {
  if (!url) return null
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: 1_000,
    connectTimeout: 1_000,
    retryStrategy: (attempt) => Math.min(50 * 2 ** attempt, 2_000),
  })
  redis.on('error', (error) => complain('Redis', error))
  await once(redis, 'ready', { signal: AbortSignal.timeout(bootWaitMs) }).catch(() => {})
  return redis
}
