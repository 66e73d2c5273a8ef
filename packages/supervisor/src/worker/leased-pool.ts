import type { Pool, PoolClient } from 'pg'
import { StationmasterError } from '../errors.ts'
import type { ConnectionLedger } from './connection-ledger.ts'

/** What pg-pool keeps inside, as far as it is needed here; unchanged since its version 3.6, which came with pg 8.11. */
interface PoolInside {
  readonly options: { max: number; min?: number }
  readonly _clients: readonly unknown[]
  readonly _idle: readonly { readonly client: PoolClient }[]
  readonly _expired: WeakSet<object>
  _isFull(): boolean
  _pulseQueue(): void
  _remove(client: PoolClient, callback?: () => void): void
  connect(callback?: ConnectCallback): unknown
}

type ConnectCallback = (error?: Error, ...rest: unknown[]) => void

/** What pg-pool says to whoever has waited for as long as it may. */
const TIMED_OUT = 'timeout exceeded when trying to connect'

/**
 * Puts a pool under the ledger. Only the question "is there room for one more connection" gets another answer; its queue, its time-outs and its
 * events stay pg-pool's own.
 */
export function leasePool(pool: Pool, ledger: ConnectionLedger): void {
  const inside = pool as unknown as PoolInside
  inside._isFull = () => {
    if (inside._clients.length >= inside.options.max) return true
    // While the database is away everybody fails at once, with the reason; that opens nothing.
    if (ledger.mayOpen) return false
    ledger.wanted()
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
  const connect = inside.connect.bind(pool)
  const explain = (error?: Error): Error | undefined => (error?.message === TIMED_OUT && ledger.granted === 0 ? emptyLease(error) : error)
  inside.connect = (callback) => {
    if (callback) return connect((error, ...rest) => callback(explain(error), ...rest))
    return (connect() as Promise<unknown>).catch((error: Error) => {
      throw explain(error)
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

function emptyLease(cause: Error): StationmasterError {
  const sentence =
    'This worker may have no connection to the database now, and got none in time: the budget is used up, or it is not known yet what other replicas use (`stationmaster explain` tells).'
  return new StationmasterError('SM_LEASE_EMPTY', 'environment', sentence, { cause })
}
