import { complain } from './complain.ts'
import { loadOptional } from './optional-package.ts'
import { closeRecoveryGap, type StreamAdapter } from './recovery-gap.ts'
import { type Commander, hearFailures, tellFailedQuestions } from './unheard-failures.ts'

/** As much of ioredis as is needed. */
interface RedisClient extends Commander {
  readonly status: string
  on(event: 'error', listener: (error: Error) => void): void
  on(event: 'ready', listener: () => void): void
  ping(): Promise<unknown>
  quit(): Promise<unknown>
  disconnect(): void
}

type RedisClass = new (url: string, options: object) => RedisClient
type CreateAdapter = (client: RedisClient, options: object) => (namespace: unknown) => StreamAdapter

export interface RedisSettings {
  readonly url: string
  /** Sets this service apart from others that use the same Redis; null: the names are those that every app uses. */
  readonly key: string | null
}

export interface RedisAdapter {
  adapter(namespace: unknown): StreamAdapter
  /** Resolves when what was told to Redis has arrived: sessions that another worker restores. */
  end(): Promise<void>
}

/** A command that Redis does not answer fails after this, so that a stopped Redis holds up no broadcast for ever. Above the 5 s for which the adapter's reads wait. */
const COMMAND_TIMEOUT_MS = 10_000
/** The adapter's own names, which emitters outside of this app use. */
const STANDARD_NAME = 'socket.io'
const STANDARD_PATH = '/socket.io'

/**
 * An adapter that reaches the clients of all workers of all replicas, and with `connectionStateRecovery` gives a client that comes back to
 * another worker its rooms, its data and what it missed.
 *
 * @throws StationmasterError `SM_PACKAGE_MISSING` if `ioredis` or `@socket.io/redis-streams-adapter` is not installed
 */
export function openRedisAdapter({ url, key }: RedisSettings, scope: string): RedisAdapter {
  const { createAdapter } = loadOptional('@socket.io/redis-streams-adapter', 'Socket.IO with redis.url') as { createAdapter: CreateAdapter }
  const { Redis } = loadOptional('ioredis', 'Socket.IO with redis.url') as { Redis: RedisClass }
  const client = hearFailures(new Redis(url, { commandTimeout: COMMAND_TIMEOUT_MS }))
  tellTrouble(client)
  const prefix = key === null ? STANDARD_NAME : `${key}:${STANDARD_NAME}`
  const name = scope === STANDARD_PATH ? prefix : `${prefix}${scope}`
  const open = createAdapter(client, { streamName: name, channelPrefix: name })
  return {
    // Called with `new`.
    adapter: function openAdapter(namespace) {
      const adapter = open(namespace)
      closeRecoveryGap(adapter)
      tellFailedQuestions(adapter)
      return adapter
    },
    async end() {
      if (client.status !== 'ready') return client.disconnect()
      // Commands are answered in order, so what was said before has arrived.
      await client.ping()
      await client.quit()
    },
  }
}

/** Once for each time that Redis goes away: it is tried again for ever. */
function tellTrouble(client: RedisClient): void {
  let told = false
  client.on('error', ({ message }) => {
    if (!told) complain(`Socket.IO cannot reach Redis and tries again: ${message}`)
    told = true
  })
  client.on('ready', () => {
    told = false
  })
}
