import type { Advice } from './advice.ts'
import type { Ceiling } from './capacity.ts'
import type { Decision } from './decision.ts'
import { IN_VAIN } from './elsewhere.ts'
import { type Flaps, flapsAfterGrowth, forgetFlaps, noFlaps } from './flaps.ts'
import { type Trends, advanceTrends, expectedMeans } from './forecast.ts'
import { type Holds, type Tick, advanceHolds, noHolds } from './holds.ts'
import { type Obstacle, findObstacles } from './obstacles.ts'
import { type Bounds, type Proposal, propose } from './propose.ts'
import { type Change, remember } from './rate.ts'
import type { ScalingSettings } from './settings.ts'

/** What the scaling policy remembers between ticks. */
export interface ScaleState {
  readonly holds: Holds
  /** Of the total loads, by signal; empty unless the policy predicts. */
  readonly trends: Trends
  readonly grewAtMs: number | null
  readonly changedAtMs: number | null
  /** When the load last let the fleet shrink. */
  readonly shrankAtMs: number | null
  readonly flaps: Flaps
  /** Workers that surges added and that have not left since. */
  readonly surged: number
  /** Recent changes that rates count. */
  readonly changes: readonly Change[]
  /** What last held a decision back, and when it last did, so that it is told once and not at every tick. */
  readonly heldBack: { readonly key: string; readonly seenAtMs: number } | null
}

export const untouched: ScaleState = {
  holds: noHolds,
  trends: {},
  grewAtMs: null,
  changedAtMs: null,
  shrankAtMs: null,
  flaps: noFlaps,
  surged: 0,
  changes: [],
  heldBack: null,
}

export interface ScaleInput extends Omit<Tick, 'expected'>, Omit<Bounds, 'surged'> {
  /** What the user's own policy wants; null where the built-in one decides. */
  readonly advice: Advice | null
  readonly ready: number
  /** Those on their way to serve included. */
  readonly serving: number
  /** How long a worker takes from its fork until it serves; null before one did, and where nothing is foretold. */
  readonly bootMs: number | null
  readonly ceiling: Ceiling
  /** What the database connections feed. */
  readonly databaseCeiling?: Ceiling | null
  /** The size was set by hand: decide and explain, but stay. */
  readonly byHand: boolean
}

export interface ScaleVerdict {
  readonly state: ScaleState
  /** The answer at this tick, whether or not anything is to be done. */
  readonly decision: Decision
  /** True when the answer is news: a change, or one that is held back by something new. */
  readonly news: boolean
  /** What requests wait for neither workers nor replicas could give them. */
  readonly isInVain: boolean
}

/** What held a decision back and was gone for this long is news when it is back. */
const FORGET_HELD_BACK_MS = 60_000

/** One tick of the scaling policy. Pure: the same state and input give the same verdict, today and in a replay. */
export function decide(state: ScaleState, input: ScaleInput, settings: ScalingSettings): ScaleVerdict {
  const trends = settings.predict ? advanceTrends(state.trends, input) : state.trends
  const tick = { ...input, expected: expectedMeans(trends, input), surged: state.surged ?? 0 }
  const holds = advanceHolds(state.holds, tick, settings)
  const flaps = forgetFlaps(state.flaps, input.nowMs, settings)
  const proposal = propose(holds, tick, tick, settings, input.advice)
  const past: ScaleState = { ...state, trends, flaps }
  const obstacles = findObstacles(proposal, { ...input, busiest: holds.busiest, others: holds.others, past }, settings)
  const decision = toDecision(proposal, obstacles, input)
  const isInVain = obstacles.some(({ name }) => IN_VAIN.has(name))
  if (decision.to !== input.target) return { state: afterDecision(past, decision, decision.to, settings), decision, news: true, isInVain }
  // In shadow mode the windows begin anew as if the change had been made, so that its record reads like the real one.
  const shadowed = obstacles.length === 1 && obstacles[0]?.name === 'shadow'
  if (shadowed) return { state: afterDecision(past, decision, decision.wanted, settings), decision, news: true, isInVain }
  const heldBack = nextHeldBack(state, input, proposal, obstacles)
  return { state: { ...past, holds, heldBack }, decision, news: isNews(state.heldBack, heldBack), isInVain }
}

/** Readings of the old size say nothing about the new one: after every change the windows begin anew. */
export function afterChange(state: ScaleState, nowMs: number, grew: boolean): ScaleState {
  return { ...state, holds: noHolds, grewAtMs: grew ? nowMs : state.grewAtMs, changedAtMs: nowMs, surged: 0, heldBack: null }
}

/** Floors and ceilings are orders and not the load's doing: they are no flaps, and no rate counts them. */
function afterDecision(state: ScaleState, { atMs, from, lane }: Decision, to: number, settings: ScalingSettings): ScaleState {
  const grewBy = lane === 'surge' ? to - from : Math.min(0, to - from)
  const next = { ...afterChange(state, atMs, to > from), surged: Math.max(0, (state.surged ?? 0) + grewBy) }
  if (lane === 'bounds') return next
  const changes = remember(state.changes, { atMs, by: to - from }, settings.rateUp, settings.rateDown)
  if (to < from) return { ...next, changes, shrankAtMs: atMs }
  return { ...next, changes, flaps: flapsAfterGrowth(state.flaps, state.shrankAtMs, atMs, settings) }
}

function toDecision(proposal: Proposal, obstacles: readonly Obstacle[], input: ScaleInput): Decision {
  const { wanted, reason, signals } = proposal
  const { target } = input
  const limits = obstacles.map((obstacle) => obstacle.limit)
  return {
    atMs: input.nowMs,
    from: target,
    to: wanted > target ? Math.max(target, Math.min(wanted, ...limits)) : Math.max(wanted, ...limits),
    wanted,
    lane: input.byHand ? 'manual' : proposal.lane,
    reason,
    signals,
    heldBackBy: obstacles.map((obstacle) => obstacle.sentence),
    wouldChange: obstacles.map((obstacle) => obstacle.wouldChange).join('; ') || whatWouldChange(proposal, input),
    replicas: null,
  }
}

function nextHeldBack(state: ScaleState, input: ScaleInput, proposal: Proposal, obstacles: readonly Obstacle[]): ScaleState['heldBack'] {
  const isHeld = proposal.wanted !== input.target && obstacles.length > 0
  const side = proposal.wanted > input.target ? 'up' : 'down'
  if (isHeld) return { key: [side, ...obstacles.map(({ name }) => name)].join(' '), seenAtMs: input.nowMs }
  return state.heldBack && input.nowMs - state.heldBack.seenAtMs < FORGET_HELD_BACK_MS ? state.heldBack : null
}

function isNews(before: ScaleState['heldBack'], now: ScaleState['heldBack']): boolean {
  return now !== null && now !== before && now.key !== before?.key
}

function whatWouldChange(proposal: Proposal, { target, min }: ScaleInput): string {
  if (proposal.wanted !== target) return 'nothing: it is done; from here the windows begin anew'
  if (target > min) return 'one signal above its up-threshold for its whole window (up), or all of them below their down-thresholds (down)'
  return 'one signal above its up-threshold for its whole window'
}
