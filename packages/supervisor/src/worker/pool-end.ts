import type { Pool, PoolClient } from 'pg'
import { StationmasterError } from '../errors.ts'
import type { Endable } from './clean-up.ts'

type ConnectCallback = (error?: Error, ...rest: unknown[]) => void

/** What pg-pool keeps inside, as far as it is needed here. */
interface PoolInside {
  readonly _pendingQueue: { readonly callback: ConnectCallback }[]
  connect(callback?: ConnectCallback): unknown
}

/** pg-pool tells nobody when its queue is empty. */
const LOOK_MS = 20

/**
 * pg-pool's own end leaves whoever waits for a connection waiting for ever, and is over before its sockets are closed. Here those who wait are
 * served first, newcomers are refused, and the end is the end.
 */
export function endInOrder(pool: Pool): Endable {
  const inside = pool as unknown as PoolInside
  const connected = new Set<PoolClient>()
  pool.on('connect', (client) => {
    connected.add(client)
    client.once('end', () => connected.delete(client))
  })
  const end = pool.end.bind(pool)
  const endAll = async (): Promise<void> => {
    await until(() => pool.waitingCount === 0)
    await end()
    await until(() => connected.size === 0)
  }
  let ended: Promise<void> | null = null
  pool.end = ((callback?: () => void) => {
    ended ??= endAll()
    if (!callback) return ended
    ended.then(callback, callback)
  }) as Pool['end']
  const connect = inside.connect.bind(pool)
  inside.connect = (callback) => {
    if (ended === null) return connect(callback)
    const refusal = new Error('Cannot use a pool after calling end on the pool')
    return callback ? callback(refusal) : Promise.reject(refusal)
  }
  return {
    end: () => pool.end(),
    giveUp() {
      const sentence = 'The worker ends, and no connection to the database became free in time.'
      for (const { callback } of inside._pendingQueue.splice(0)) callback(new StationmasterError('SM_STOPPING', 'environment', sentence))
    },
  }
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
}
