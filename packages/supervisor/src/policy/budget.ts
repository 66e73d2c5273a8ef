import type { LeaseState } from './lease.ts'

/** How the connections of this replica are shared out. Pure: the same claims give the same answer, whatever their order. */

export interface Claim {
  readonly workerId: number
  /**
   * `serving` gets its floor and a fair part; `waiting` (a spare) its floor only; `leaving` keeps what it uses and gets nothing more;
   * `silent` (stuck, or being killed) cannot be asked for anything.
   */
  readonly kind: 'serving' | 'waiting' | 'leaving' | 'silent'
  readonly lease: LeaseState
}

export interface BudgetInput {
  /** Connections for the workers of this replica. */
  readonly available: number
  /** What a worker needs in order to work at all. */
  readonly floor: number
  /** Connections of workers that are gone, as long as the server may still count them. */
  readonly quarantined: number
  readonly claims: readonly Claim[]
}

export interface Word {
  readonly workerId: number
  readonly granted: number
}

/** What a claim is to get: the size that its lease should have, and what it still wishes for beyond that. */
interface Share {
  readonly claim: Claim
  size: number
  wish: number
}

/** The size each lease should have, by worker. */
export function shareOut(input: BudgetInput): ReadonlyMap<number, number> {
  return new Map(byWorker(sharesOf(input)).map(({ claim, size }) => [claim.workerId, size]))
}

/** What a worker that hears nothing holds cannot be taken back; the rest is shared out among the others. In the order of the claims. */
function sharesOf({ available, floor, quarantined, claims }: BudgetInput): readonly Share[] {
  const shares = claims.map((claim): Share => ({ claim, size: 0, wish: 0 }))
  let left = available - quarantined
  for (const share of shares) {
    const { kind, lease } = share.claim
    if (kind === 'silent') {
      share.size = lease.granted
      left -= lease.held
    } else if (kind === 'leaving') {
      share.size = Math.min(lease.granted, Math.max(floor, demandOf(share.claim)))
      left -= share.size
      // A wish is never below the floor, so as long as there is enough everybody has it.
    } else share.wish = kind === 'waiting' ? floor : Math.max(floor, demandOf(share.claim))
  }
  // Odd ones go to the lowest ids.
  const inOrder = byWorker(shares)
  left = level(inOrder, left)
  // What nobody asks for now is spread, so that a rush finds it there; one floor stays free, so that a newcomer does.
  for (const share of shares) share.wish = share.claim.kind === 'serving' ? Number.MAX_SAFE_INTEGER : 0
  level(inOrder, left - floor)
  return shares
}

/** The words to say now. What shrinks is told at once; what grows is told only as far as connections are proven free. */
export function nextWords(input: BudgetInput): Word[] {
  const words: Word[] = []
  const growing: Share[] = []
  for (const share of sharesOf(input)) {
    const { workerId, lease } = share.claim
    if (share.size < lease.granted) words.push({ workerId, granted: share.size })
    if (share.size > lease.granted) growing.push(share)
  }
  if (growing.length === 0) return words
  let free = freeConnections(input)
  // Who lacks its floor comes first, then who lacks most.
  const lacks = ({ size, claim: { lease } }: Share): number => size - lease.granted + (lease.granted < input.floor ? input.available : 0)
  for (const { claim, size } of growing.sort((a, b) => lacks(b) - lacks(a) || a.claim.workerId - b.claim.workerId)) {
    const { granted, held } = claim.lease
    // Up to what it may have open anyway, growth takes nothing from anybody.
    const fresh = Math.min(Math.max(0, size - held), free)
    free -= fresh
    const next = Math.min(size, held + fresh)
    if (next > granted) words.push({ workerId: claim.workerId, granted: next })
  }
  return words
}

/** Connections that nobody has and nobody may open. Never negative. */
export function freeConnections({ available, quarantined, claims }: BudgetInput): number {
  let free = available - quarantined
  for (const { lease } of claims) free -= lease.held
  return Math.max(0, free)
}

/**
 * Whether one more worker would find its floor once everybody gave back what it can. What the dead still hold comes back by itself: until
 * then a newcomer serves what needs no database, instead of nothing.
 */
export function feedsOneMore({ available, floor, claims }: BudgetInput): boolean {
  return (claims.length + 1) * floor <= available
}

/** The most workers that this many connections feed, with one floor kept for the successor that a reload needs. */
export function mostWorkers(available: number, floor: number): number {
  return Math.max(1, Math.floor(available / floor) - 1)
}

const demandOf = ({ lease }: Claim): number => lease.inUse + lease.waiting
/** Claims come in the order of the workers as good as always: then nothing is sorted. */
function byWorker(shares: readonly Share[]): readonly Share[] {
  const idAt = (place: number): number => shares[place]?.claim.workerId ?? Number.NEGATIVE_INFINITY
  for (let place = 1; place < shares.length; place++)
    if (idAt(place - 1) > idAt(place)) return shares.toSorted((a, b) => a.claim.workerId - b.claim.workerId)
  return shares
}

/** Max-min fair: nobody gets more than it wishes, and nobody less than another unless it wishes less; odd ones go to the first. Answers what is left. */
function level(shares: readonly Share[], supply: number): number {
  let left = supply
  let open = shares.filter(({ wish }) => wish > 0)
  while (open.length > 0 && left > 0) {
    const each = Math.floor(left / open.length)
    const round = each > 0 ? open : open.slice(0, left)
    for (const share of round) {
      const more = Math.min(Math.max(each, 1), share.wish)
      share.size += more
      share.wish -= more
      left -= more
    }
    open = open.filter(({ wish }) => wish > 0)
  }
  return left
}
