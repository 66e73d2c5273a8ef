import type { Pool, PoolClient } from 'pg'
import { StationmasterError } from '../errors.ts'
import type { ConnectionLedger } from './connection-ledger.ts'

/** What pg-pool keeps inside, as far as it is needed here; unchanged since its version 3.6, which came with pg 8.11. */
interface PoolInside {
  readonly options: { max: number; min?: number; connectionTimeoutMillis?: number }
  readonly _clients: readonly unknown[]
  readonly _pendingQueue: { callback(error: Error): void }[]
  readonly _idle: readonly { readonly client: PoolClient }[]
  readonly _expired: WeakSet<object>
  _isFull(): boolean
  _pulseQueue(): void
  _remove(client: PoolClient, callback?: () => void): void
}

/** A lease is empty for some seconds at most, unless something is wrong. */
const LONGEST_EMPTY_MS = 10_000

/**
 * Puts a pool under the ledger. Only the question "is there room for one more connection" gets another answer; its queue, its time-outs and its
 * events stay pg-pool's own.
 */
export function leasePool(pool: Pool, ledger: ConnectionLedger): void {
  const inside = pool as unknown as PoolInside
  let timer: NodeJS.Timeout | null = null
  const failIfStillEmpty = (): void => {
    timer ??= setTimeout(
      () => {
        timer = null
        if (ledger.granted === 0) for (const { callback } of inside._pendingQueue.splice(0)) callback(emptyLease())
      },
      Math.min(LONGEST_EMPTY_MS, inside.options.connectionTimeoutMillis ?? LONGEST_EMPTY_MS),
    ).unref()
  }
  inside._isFull = () => {
    if (inside._clients.length >= inside.options.max) return true
    // While the database is away everybody fails at once, with the reason; that opens nothing.
    if (ledger.mayOpen) return false
    ledger.wanted()
    if (ledger.granted === 0) failIfStillEmpty()
    return true
  }
  const remove = inside._remove.bind(pool)
  inside._remove = (client, callback) => {
    const gone = ledger.closing()
    client.once('end', gone)
    remove(client, () => {
      gone()
      callback?.()
    })
  }
  // What is given back above the lease is closed, by pg-pool's own way to end a connection that has lived long enough.
  pool.on('release', (_, client) => {
    if (ledger.isAbove) inside._expired.add(client)
  })
  ledger.join({
    get inUse() {
      return pool.totalCount - pool.idleCount
    },
    get waiting() {
      return pool.waitingCount
    },
    wake() {
      for (let waiting = pool.waitingCount + 1; pool.waitingCount > 0 && pool.waitingCount < waiting; ) {
        waiting = pool.waitingCount
        inside._pulseQueue()
      }
    },
    closeIdle(count) {
      const idle = inside._idle.slice(0, count).map(({ client }) => client)
      for (const client of idle) inside._remove(client, () => inside._pulseQueue())
      return idle.length
    },
  })
}

function emptyLease(): StationmasterError {
  const sentence =
    'This worker may have no connection to the database now, and got none in time: the budget is used up, or it is not known yet what other replicas use (`stationmaster explain` tells).'
  return new StationmasterError('SM_LEASE_EMPTY', 'environment', sentence)
}
