import { createRequire } from 'node:module'
import { StationmasterError } from '../errors.ts'

/** As much of ioredis as is needed. */
export interface RedisClient {
  connect(): Promise<void>
  on(event: 'close', listener: () => void): void
  on(event: 'error', listener: (error: Error) => void): void
  eval(script: string, keys: number, ...keysAndArguments: string[]): Promise<unknown>
  info(section: string): Promise<string>
  disconnect(): void
}

type RedisClass = new (url: string, options: object) => RedisClient

/** Nothing is kept for later: what was not said in time is said anew, from what is true then. */
const OPTIONS = { enableOfflineQueue: false, autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0, connectTimeout: 2000, lazyConnect: true }
const LONGEST_PAUSE_MS = 2000

/** @throws StationmasterError `SM_PACKAGE_MISSING` if `ioredis` is not installed */
export function openRedis(url: string, entry: string): RedisClient {
  const Redis = loadRedis([import.meta.url, entry])
  return new Redis(url, { ...OPTIONS, retryStrategy: (attempt: number) => Math.min(100 * 2 ** Math.min(attempt, 10), LONGEST_PAUSE_MS) })
}

/** As our own peer, or else as the app would load it. */
function loadRedis(origins: readonly string[]): RedisClass {
  for (const origin of origins) {
    try {
      return (createRequire(origin)('ioredis') as { readonly Redis: RedisClass }).Redis
    } catch {
      // the next one may have it
    }
  }
  const sentence = 'redis.url needs the package ioredis, which could not be loaded. Add it to the dependencies of the application.'
  throw new StationmasterError('SM_PACKAGE_MISSING', 'application', sentence)
}
