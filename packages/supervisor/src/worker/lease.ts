/** Connections, as counted by the supervisor. */
export interface LeaseValue {
  /** What this worker may open at most. */
  readonly granted: number
}

export interface Lease {
  /** Null where nobody limits the connections. */
  readonly value: LeaseValue | null
  /** Calls `listener` at every change, and returns the way to end that. */
  onChange(listener: (value: LeaseValue | null) => void): () => void
}

/** No budget is set: there is nothing to lease, and nothing changes. */
export const noLease: Lease = {
  value: null,
  onChange: () => () => {},
}
