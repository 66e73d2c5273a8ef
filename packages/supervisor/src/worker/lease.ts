import { StationmasterError } from '../errors.ts'
import type { ConnectionLedger } from './connection-ledger.ts'

/** Connections, as counted by the supervisor. */
export interface LeaseValue {
  /** What this worker may open at most, pools of `createPool()` included. */
  readonly granted: number
  /** The `application_name` under which the supervisor finds a connection of this worker, also after its death. A name of your own may follow. */
  readonly connectionName: string
}

export interface Lease {
  /** Null where nobody limits the connections. */
  readonly value: LeaseValue | null
  /** Calls `listener` at every change, and returns the way to end that. */
  onChange(listener: (value: LeaseValue | null) => void): () => void
  /**
   * For a pool that `createPool()` did not make: says that it opens at most `connections` from now on. To grow, call this first and open then;
   * to shrink, close first and call then. Other workers get what was given back only after that.
   *
   * @throws StationmasterError `SM_LEASE_EXCEEDED` if that is more than the lease has room for, `SM_OPTION_INVALID` if it is no whole number
   */
  acknowledge(connections: number): void
}

/** No budget is set: there is nothing to lease, and nothing changes. */
export const noLease: Lease = {
  value: null,
  onChange: () => () => {},
  acknowledge: () => {},
}

export function leaseOf(ledger: ConnectionLedger, connectionName: string): Lease {
  const value = (): LeaseValue => ({ granted: ledger.granted, connectionName })
  return {
    get value() {
      return value()
    },
    onChange: (listener) => ledger.onChange(() => listener(value())),
    acknowledge(connections) {
      if (!Number.isSafeInteger(connections) || connections < 0)
        throw new StationmasterError('SM_OPTION_INVALID', 'option', `lease.acknowledge(${connections}) is not allowed; expected a whole number.`)
      const room = ledger.granted - (ledger.open - ledger.external)
      if (connections > ledger.external && connections > room) {
        const sentence = `lease.acknowledge(${connections}) is more than the ${Math.max(0, room)} connections that the lease has room for.`
        throw new StationmasterError('SM_LEASE_EXCEEDED', 'application', sentence)
      }
      ledger.setExternal(connections)
    },
  }
}
