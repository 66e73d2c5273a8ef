import { type Prices, isOverBudget, monthlyCostUsd } from './cost.ts'
import type { ScalingSettings, Trigger } from './settings.ts'
import { SHARED_LOADS, type Signals } from './signals.ts'
import { type Hold, advanceHold, heldLongEnough } from './window.ts'

/**
 * The second level: how many replicas the load calls for. It is asked of the totals of all replicas, since behind a balancer that deals by
 * chance each carries the same part. Nobody but the platform can start one, so this only ever says how many there should be.
 */

/** What a replica tells the others of itself, once a tick. */
export interface ReplicaTotals {
  /** Workers that the load calls for, as if nothing stood in their way; null while that is not known. */
  readonly wanted: number | null
  /** The most workers that this replica carries: by `workers.max`, its container and its database connections. */
  readonly most: number
  /** How many replicas it says are needed; the word of the elected one counts. */
  readonly needs: number | null
}

/** Another replica of the same service. */
export interface Peer {
  /** Made up at each start of a replica: a new one, even on the same machine, is not the old one. */
  readonly id: string
  /** As the platform calls it, for people. */
  readonly name: string
  /** Where it takes what belongs to its workers, `host:port` on the private network; null where it does not. */
  readonly address: string | null
  /** Null until it has them. */
  readonly totals: ReplicaTotals | null
}

/** The replicas as Redis shows them. */
export interface Peers {
  readonly ownId: string
  /** This one left out; null while Redis cannot tell. */
  readonly others: readonly Peer[] | null
}

export interface ReplicaState {
  /** How many there are, this one included, as far as it knows. */
  readonly have: number
  readonly needs: number
  /** How long the replicas that are said to be needed do not carry the load, and one fewer would. */
  readonly above: Hold | null
  readonly below: Hold | null
  /** Since when fewer are heard of than there are; null while all are. */
  readonly missedSinceMs: number | null
  /** When either number last changed. */
  readonly changedAtMs: number | null
  /** What led to the present word, for people. */
  readonly reason: string
}

export const oneReplica: ReplicaState = { have: 1, needs: 1, above: null, below: null, missedSinceMs: null, changedAtMs: null, reason: '' }

export interface ReplicaInput {
  readonly nowMs: number
  readonly intervalMs: number
  /** Of all replicas, this one included. */
  readonly totals: readonly ReplicaTotals[]
  /** The database budget is for so many replicas; more of them would have no connections. Null where nobody limits them. */
  readonly limit: number | null
  /** The elected replica and what it says, where that is another one. */
  readonly elected: { readonly id: string; readonly needs: number | null } | null
}

/** What is said of the number of replicas. */
export interface ReplicaNeed {
  readonly have: number
  readonly needs: number
  readonly reason: string
  readonly costUsdPerMonth: number
  readonly isOverBudget: boolean
}

/** The windows of the workers have been waited for already; this is against one late report of one replica. */
const ABOVE: Trigger = { threshold: 1, forMs: 10_000 }
/** One replica fewer must be well below its thresholds, or it would be missed at once. */
const WELL_BELOW = 0.7
/** Who is not heard of for so long is gone: a Redis that was flushed or restarted shows all of them again before that. */
const GONE_AFTER_MS = 30_000
/** Where no signal is set to let workers go, replicas still can. */
const STANDARD_BELOW_MS = 300_000

type ReplicaSettings = Pick<ScalingSettings, 'cooldownUpMs' | 'cooldownDownMs' | 'down' | 'stepDown'>

/** One tick. The same hysteresis as for workers: a window, a cooldown, and a gap between what is too much and what is too little. */
export function decideReplicas(before: ReplicaState, input: ReplicaInput, settings: ReplicaSettings): ReplicaState {
  const { nowMs, intervalMs, totals, elected } = input
  const state = withReplicas(before, totals.length, nowMs)
  // Until it is known who is gone nothing can be said of the whole.
  if (state.missedSinceMs !== null) return state
  if (elected !== null) {
    const isNews = elected.needs !== null && elected.needs !== state.needs
    return isNews ? changed(state, elected.needs as number, nowMs, `so says replica ${elected.id}`) : state
  }
  const { wanted, isKnown, each } = sumUp(totals)
  const { needs } = state
  const fewer: Trigger = { threshold: WELL_BELOW, forMs: longestWindowMs(settings) }
  const above = advanceHold(state.above, wanted / (each * needs), ABOVE, 'above', nowMs, intervalMs)
  const below = advanceHold(state.below, needs > 1 && isKnown ? wanted / (each * (needs - 1)) : null, fewer, 'below', nowMs, intervalMs)
  const next = above === state.above && below === state.below ? state : { ...state, above, below }
  const sinceMs = nowMs - (state.changedAtMs ?? Number.NEGATIVE_INFINITY)
  if (heldLongEnough(above, ABOVE, nowMs, intervalMs) && sinceMs >= settings.cooldownUpMs) return more(next, input, wanted, each)
  if (heldLongEnough(below, fewer, nowMs, intervalMs) && sinceMs >= settings.cooldownDownMs) return less(next, input, wanted, each, settings)
  return next
}

/** What all want together, and what each carries. What is not known counts as idle to grow, and forbids to shrink. */
function sumUp(totals: readonly ReplicaTotals[]): { readonly wanted: number; readonly isKnown: boolean; readonly each: number } {
  let wanted = 0
  let most = 0
  let isKnown = true
  for (const of of totals) {
    wanted += of.wanted ?? 0
    most += of.most
    if (of.wanted === null) isKnown = false
  }
  return { wanted, isKnown, each: most / totals.length }
}

/** The number said follows the number there as long as both are the same: an operator, a deployment or a crash is no need. */
function withReplicas(state: ReplicaState, have: number, nowMs: number): ReplicaState {
  if (have === state.have) return state.missedSinceMs === null ? state : { ...state, missedSinceMs: null }
  const missedSinceMs = state.missedSinceMs ?? nowMs
  if (have < state.have && nowMs - missedSinceMs < GONE_AFTER_MS) return { ...state, missedSinceMs, above: null, below: null }
  return { ...state, have, needs: state.needs === state.have ? have : state.needs, above: null, below: null, missedSinceMs: null, changedAtMs: nowMs }
}

function more(state: ReplicaState, { nowMs, limit, totals }: ReplicaInput, wanted: number, each: number): ReplicaState {
  // At most double, as for workers. A hair less, because 3 × 1.4 is a little more than 4.2 for a computer.
  const called = Math.min(Math.ceil(wanted / each - 1e-9), 2 * state.needs)
  const most = limit === null ? Number.POSITIVE_INFINITY : Math.max(limit, totals.length)
  const needs = Math.min(called, most)
  if (needs <= state.needs) return state
  const held = needs < called ? `; ${called} would be right, but database.budget is for ${limit} (database.replicas)` : ''
  return changed(state, needs, nowMs, `the load calls for ${inWorkers(wanted)}, and a replica carries ${inWorkers(each)}${held}`)
}

function less(state: ReplicaState, { nowMs }: ReplicaInput, wanted: number, each: number, { stepDown }: ReplicaSettings): ReplicaState {
  const needs = Math.max(1, Math.ceil(wanted / (each * WELL_BELOW) - 1e-9), state.needs - stepDown)
  if (needs >= state.needs) return state
  return changed(state, needs, nowMs, `the load calls for ${inWorkers(wanted)}, and a replica carries ${inWorkers(each)}`)
}

function changed(state: ReplicaState, needs: number, nowMs: number, reason: string): ReplicaState {
  return { ...state, needs, above: null, below: null, changedAtMs: nowMs, reason }
}

function longestWindowMs({ down }: ReplicaSettings): number {
  let longestMs = 0
  for (const name in down) longestMs = Math.max(longestMs, down[name]?.forMs ?? 0)
  return longestMs || STANDARD_BELOW_MS
}

const inWorkers = (workers: number): string => `${Math.round(workers * 10) / 10} ${workers === 1 ? 'worker' : 'workers'}`

/**
 * Workers that the load of one replica calls for. Above the thresholds it is the policy's own answer, with nothing in its way; below them
 * the part of the thresholds that is in use. Memory and response times say nothing of how many workers would be enough.
 */
export function wantedWorkers(
  signals: Signals,
  { wanted, from }: { readonly wanted: number; readonly from: number },
  up: ScalingSettings['up'],
  serving: number,
): number | null {
  if (wanted > from) return wanted
  let used = Number.NEGATIVE_INFINITY
  for (const name of SHARED_LOADS) {
    const threshold = up[name]?.threshold ?? 0
    if (threshold <= 0) continue
    const value = signals[name]?.down ?? null
    if (value === null) return null
    used = Math.max(used, value / threshold)
  }
  return used === Number.NEGATIVE_INFINITY ? null : Math.min(from, serving * used)
}

/** The word with what it costs. */
export function replicaNeed({ have, needs, reason }: ReplicaState, prices: Prices): ReplicaNeed {
  const costUsdPerMonth = monthlyCostUsd(needs, prices)
  return { have, needs, reason, costUsdPerMonth, isOverBudget: isOverBudget(costUsdPerMonth, prices) }
}

/** `needs replicas: 3 (2 now): the load calls for …; 80 USD a month`. */
export function describeNeed({ have, needs, reason, costUsdPerMonth, isOverBudget: isDear }: ReplicaNeed): string {
  const cost = `${costUsdPerMonth} USD a month${isDear ? ', more than 150 % of the budget (cost.budgetMonth)' : ''}`
  const now = needs === have ? 'as there are' : `${have} now${needs < have ? ', fewer would do' : ''}`
  return `needs replicas: ${needs} (${now}): ${reason}; ${cost}`
}
