import type { Ceiling } from '../policy/capacity.ts'
import type { Decision } from '../policy/decision.ts'
import { busiestOf, othersOf } from '../policy/elsewhere.ts'
import { noHolds } from '../policy/holds.ts'
import { type ScaleInput, afterChange, decide } from '../policy/scale.ts'
import { limitsAt } from '../policy/schedule.ts'
import { wantedSpares } from '../policy/spares.ts'
import { countReady, countSpares, warming } from './census.ts'
import { scalingInForce, watchCustomSignals } from './custom-signals.ts'
import type { Draft } from './draft.ts'
import type { Sampled } from './event.ts'
import type { Fleet } from './fleet.ts'
import { databaseCeiling } from './leases.ts'
import { availableOf } from './loan.ts'
import { countReplicas } from './replicas.ts'
import { currentCeiling, fleetSignals, knownMemoryBytes, readyFacts, takeIn, takeInUsage } from './observe.ts'

/** Decisions kept for `explain`. */
const DECISIONS_KEPT = 200
/** A tick that comes late stands for at most this many: what happened in a longer gap nobody saw. */
const LONGEST_INTERVAL_TICKS = 3
/** A short absence of Redis, or a rush at the others, is over by then, and what was lent is lent again. */
const STARVED_MS = 30_000

/** One tick: take in what was measured, ask the policy, and carry its answer into the target. */
export function onSampled(draft: Draft, { wallMs, samples, usage, advice }: Sampled): void {
  const { fleet } = draft
  const longestMs = LONGEST_INTERVAL_TICKS * fleet.settings.tickMs
  const gapMs = fleet.nowMs - (fleet.sampledAtMs ?? fleet.nowMs - fleet.settings.tickMs)
  const intervalMs = Math.min(gapMs, longestMs)
  if (gapMs > longestMs) {
    fleet.scale = { ...fleet.scale, holds: noHolds }
    fleet.cpuExhaustion = null
  }
  fleet.sampledAtMs = fleet.nowMs
  takeInUsage(draft, usage, intervalMs)
  takeIn(draft, samples, intervalMs)
  if (fleet.phase !== 'running') return
  leaveIfStarved(draft)
  watchCustomSignals(draft)
  fleet.spareTarget = spareTarget(fleet)
  fleet.limits = currentLimits(fleet, wallMs)
  const { min, max } = fleet.limits
  const facts = readyFacts(fleet)
  const signals = fleetSignals(fleet, facts)
  const byHand = fleet.mode === 'manual'
  const ready = countReady(fleet)
  const serving = ready + warming(fleet)
  const { nowMs, target } = fleet
  const ceilings = { ceiling: currentCeiling(fleet), databaseCeiling: databaseCeiling(fleet) }
  scale(draft, {
    nowMs,
    intervalMs,
    target,
    min,
    max,
    signals,
    busiest: busiestOf(facts),
    others: othersOf(facts),
    ...ceilings,
    byHand,
    ready,
    serving,
    advice: advice ?? null,
    bootMs: fleet.settings.scaling.predict ? usualBootMs(fleet) : null,
  })
}

/** Asking a calendar is the dearest part of a tick, and cron speaks in minutes. */
function currentLimits(fleet: Fleet, wallMs: number): Fleet['limits'] {
  const { scaling, workers } = fleet.settings
  const minute = Math.floor(wallMs / 60_000)
  return minute === fleet.limits.minute ? fleet.limits : { ...limitsAt(scaling.schedule, wallMs, workers), minute }
}

function usualBootMs({ bootsMs }: Fleet): number | null {
  return bootsMs.toSorted((a, b) => a - b)[Math.floor(bootsMs.length / 2)] ?? null
}

function spareTarget(fleet: Fleet): number {
  const { workers, capacity } = fleet.settings
  const existing = countSpares(fleet)
  const wanted = wantedSpares({ setting: workers.spares, capacity, usage: fleet.usage, memoryBytes: knownMemoryBytes(fleet), existing })
  const { database } = fleet.settings
  // A spare that its connections do not feed could not serve either. What was lent counts as long as it is.
  return database === null ? wanted : Math.max(0, Math.min(wanted, Math.floor(availableOf(fleet) / database.floor) - fleet.target))
}

function scale(draft: Draft, input: ScaleInput): void {
  const { fleet } = draft
  const { state, decision: ofWorkers, news, isInVain } = decide(fleet.scale, input, scalingInForce(fleet))
  fleet.scale = state
  const decision = { ...ofWorkers, replicas: countReplicas(draft, input, isInVain ? { ...ofWorkers, wanted: ofWorkers.from } : ofWorkers) }
  fleet.standing = decision
  // What the load would call for is there to be asked for, but while the size is set by hand it is not news.
  if (news && !input.byHand) carryOut(draft, decision)
}

/** The operator's word, kept among the decisions so that the history of the fleet's size has no gap. */
export function scaleByHand(draft: Draft, workers: number): void {
  const { fleet } = draft
  fleet.mode = 'manual'
  // It speaks of the size and the rules before this; the next tick makes a new one.
  fleet.standing = null
  if (workers === fleet.target) return
  fleet.scale = afterChange(fleet.scale, fleet.nowMs, workers > fleet.target)
  carryOut(draft, {
    atMs: fleet.nowMs,
    from: fleet.target,
    to: workers,
    wanted: workers,
    lane: 'manual',
    reason: 'by hand',
    signals: {},
    heldBackBy: [],
    wouldChange: '`scale auto` gives the size back to the load',
    replicas: null,
  })
}

/** What others need is not lent to this replica. Where that lasts, workers without a single connection would only let their callers wait. */
function leaveIfStarved(draft: Draft): void {
  const { fleet } = draft
  const isStarved = fleet.settings.database !== null && fleet.target > Math.max(1, availableOf(fleet))
  fleet.starvedSinceMs = isStarved ? (fleet.starvedSinceMs ?? fleet.nowMs) : null
  if (fleet.starvedSinceMs === null || fleet.nowMs - fleet.starvedSinceMs < STARVED_MS) return
  const connections = Math.max(1, availableOf(fleet))
  stayWithin(draft, { workers: connections, because: () => `there are ${connections} connections, and each worker needs one` })
}

/** After a cut of the budget: no more workers than its connections feed, however their number came about. */
export function stayFed(draft: Draft): void {
  const fed = databaseCeiling(draft.fleet)
  if (fed) stayWithin(draft, fed)
}

function stayWithin(draft: Draft, fed: Ceiling): void {
  const { fleet } = draft
  const to = Math.max(fleet.settings.workers.min, fed.workers)
  if (to >= fleet.target) return
  fleet.scale = afterChange(fleet.scale, fleet.nowMs, false)
  fleet.standing = null
  carryOut(draft, {
    atMs: fleet.nowMs,
    from: fleet.target,
    to,
    wanted: to,
    lane: 'bounds',
    reason: `database.budget: ${fed.because()}`,
    signals: {},
    heldBackBy: [],
    wouldChange: 'a higher database.budget',
    replicas: null,
  })
}

function carryOut(draft: Draft, decision: Decision): void {
  const { fleet } = draft
  fleet.decisions = [...fleet.decisions, decision].slice(-DECISIONS_KEPT)
  draft.notes.push({ kind: 'fleet:decided', decision })
  if (decision.to === fleet.target) return
  draft.notes.push({ kind: 'fleet:scaled', from: fleet.target, to: decision.to, reason: decision.reason })
  fleet.target = decision.to
}
