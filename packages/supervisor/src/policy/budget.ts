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

/** The size each lease should have. What a worker that hears nothing holds cannot be taken back; the rest is shared out among the others. */
export function shareOut({ available, floor, quarantined, claims }: BudgetInput): ReadonlyMap<number, number> {
  const inOrder = [...claims].sort((a, b) => a.workerId - b.workerId)
  const of = (...kinds: Claim['kind'][]): Claim[] => inOrder.filter(({ kind }) => kinds.includes(kind))
  const silent = of('silent')
  const leaving = new Map(of('leaving').map((claim) => [claim, Math.min(claim.lease.granted, Math.max(floor, demandOf(claim)))]))
  let left = available - quarantined - sum(silent.map(({ lease }) => lease.held)) - sum(leaving.values())
  // A wish is never below the floor, so as long as there is enough everybody has it.
  const wishes = of('serving', 'waiting').map((claim) => ({ claim, wish: claim.kind === 'waiting' ? floor : Math.max(floor, demandOf(claim)) }))
  const asked = level(wishes, left)
  left -= sum(asked.values())
  // What nobody asks for now is spread, so that a rush finds it there; one floor stays free, so that a newcomer does.
  const spread = level(
    of('serving').map((claim) => ({ claim, wish: Number.MAX_SAFE_INTEGER })),
    left - floor,
  )
  const targetOf = (claim: Claim): number =>
    claim.kind === 'silent' ? claim.lease.granted : (leaving.get(claim) ?? (asked.get(claim) ?? 0) + (spread.get(claim) ?? 0))
  return new Map(inOrder.map((claim) => [claim.workerId, targetOf(claim)]))
}

/** The words to say now. What shrinks is told at once; what grows is told only as far as connections are proven free. */
export function nextWords(input: BudgetInput): Word[] {
  const targets = shareOut(input)
  const targetOf = ({ workerId }: Claim): number => targets.get(workerId) ?? 0
  const shrinking = input.claims.filter((claim) => targetOf(claim) < claim.lease.granted)
  const growing = input.claims.filter((claim) => targetOf(claim) > claim.lease.granted)
  let free = freeConnections(input)
  const words = shrinking.map((claim): Word => ({ workerId: claim.workerId, granted: targetOf(claim) }))
  // Who lacks its floor comes first, then who lacks most.
  const lacks = (claim: Claim): number => targetOf(claim) - claim.lease.granted + (claim.lease.granted < input.floor ? input.available : 0)
  for (const claim of growing.sort((a, b) => lacks(b) - lacks(a) || a.workerId - b.workerId)) {
    const { granted, held } = claim.lease
    // Up to what it may have open anyway, growth takes nothing from anybody.
    const fresh = Math.min(Math.max(0, targetOf(claim) - held), free)
    free -= fresh
    const next = Math.min(targetOf(claim), held + fresh)
    if (next > granted) words.push({ workerId: claim.workerId, granted: next })
  }
  return words
}

/** Connections that nobody has and nobody may open. Never negative. */
export function freeConnections({ available, quarantined, claims }: BudgetInput): number {
  return Math.max(0, available - quarantined - sum(claims.map(({ lease }) => lease.held)))
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

const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0)
const demandOf = ({ lease }: Claim): number => lease.inUse + lease.waiting

interface Wish {
  readonly claim: Claim
  readonly wish: number
}

/** Max-min fair: nobody gets more than it wishes, and nobody less than another unless it wishes less; odd ones go to the lowest ids. */
function level(wishes: readonly Wish[], supply: number): ReadonlyMap<Claim, number> {
  const given = new Map<Claim, number>(wishes.map(({ claim }) => [claim, 0]))
  let left = supply
  let open = wishes.filter(({ wish }) => wish > 0)
  while (open.length > 0 && left > 0) {
    const each = Math.floor(left / open.length)
    const round = each > 0 ? open : open.slice(0, left)
    for (const { claim, wish } of round) {
      const before = given.get(claim) ?? 0
      const more = Math.min(Math.max(each, 1), wish - before)
      given.set(claim, before + more)
      left -= more
    }
    open = open.filter(({ claim, wish }) => (given.get(claim) ?? 0) < wish)
  }
  return given
}
