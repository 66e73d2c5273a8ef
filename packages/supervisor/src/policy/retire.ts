/** A ready worker as a candidate for retirement. Counts are null where nothing fresh is known. */
export interface RetireCandidate {
  readonly workerId: number
  readonly slot: number
  readonly sockets: number | null
  readonly queue: number | null
  readonly connections: number | null
}

/**
 * The `count` workers that are cheapest to drain: fewest sockets and requests in flight, then fewest connections, then the
 * highest slot. A worker whose load is not known is dear, and the last ready one is never chosen.
 */
export function chooseRetirees(ready: readonly RetireCandidate[], count: number): number[] {
  const allowed = Math.min(count, ready.length - 1)
  if (allowed <= 0) return []
  return [...ready]
    .sort((a, b) => cost(a) - cost(b) || known(a.connections) - known(b.connections) || b.slot - a.slot)
    .slice(0, allowed)
    .map((candidate) => candidate.workerId)
}

const known = (value: number | null): number => value ?? Number.MAX_SAFE_INTEGER
const cost = (candidate: RetireCandidate): number =>
  candidate.sockets === null || candidate.queue === null ? Number.MAX_SAFE_INTEGER : candidate.sockets + candidate.queue
