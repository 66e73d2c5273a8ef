/**
 * What a worker may open, and what it may still have open. Messages to and from workers can be late, doubled, reordered or lost, so a
 * word of the worker counts only for the newest number it was told.
 */
export interface LeaseState {
  /** Numbers the words "you may have so many"; a word of the worker names the one that it follows. */
  readonly sequence: number
  /** The newest word. */
  readonly granted: number
  /** The most that the worker may have open now: no less than `granted`, and more until it has told that it shrank. */
  readonly held: number
  /** What the worker last confirmed. */
  readonly acknowledged: number
  /** The number of the word that it was confirmed for. */
  readonly confirmed: number
  readonly inUse: number
  readonly waiting: number
  readonly external: number
}

export interface LeaseUse {
  readonly sequence: number
  /** The worker's promise: from now on no more than this, as long as it hears nothing newer. */
  readonly holds: number
  readonly inUse: number
  /** Callers that wait for a connection. */
  readonly waiting: number
  /** Of what it holds, connections of pools of another make, which the server may show under any name. */
  readonly external: number
}

export const noLease: LeaseState = { sequence: 0, granted: 0, held: 0, acknowledged: 0, confirmed: 0, inUse: 0, waiting: 0, external: 0 }

export function grant(lease: LeaseState, granted: number): LeaseState {
  return { ...lease, sequence: lease.sequence + 1, granted, held: Math.max(lease.held, granted) }
}

/** Promises about an older word say nothing of the newest; for the same word they only ever fall, so the order does not matter. */
export function hear(lease: LeaseState, { sequence, holds, inUse, waiting, external }: LeaseUse): LeaseState {
  const demand = { ...lease, inUse, waiting, external }
  if (sequence !== lease.sequence) return demand
  const held = Math.max(lease.granted, Math.min(lease.held, holds))
  return { ...demand, held, acknowledged: held, confirmed: sequence }
}

/**
 * True when the newest word has not been confirmed: it may have been lost, and saying it again does no harm. By its number, since a word may say
 * what the last confirmed one did, and those in between something else.
 */
export const isPending = ({ sequence, confirmed, granted, acknowledged }: LeaseState): boolean => confirmed !== sequence || acknowledged !== granted
