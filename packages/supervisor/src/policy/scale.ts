import type { Ceiling } from './capacity.ts'
import type { Decision } from './decision.ts'
import { describeMs } from './describe.ts'
import { type Holds, type Tick, advanceHolds, noHolds } from './holds.ts'
import { type Bounds, type Proposal, propose } from './propose.ts'
import type { ScalingSettings } from './settings.ts'

/** What the scaling policy remembers between ticks. */
export interface ScaleState {
  readonly holds: Holds
  readonly grewAtMs: number | null
  readonly changedAtMs: number | null
  /** The last decision that was held back, in short, so that it is told once and not at every tick. */
  readonly heldBackKey: string | null
}

export const untouched: ScaleState = { holds: noHolds, grewAtMs: null, changedAtMs: null, heldBackKey: null }

export interface ScaleInput extends Tick, Bounds {
  readonly ceiling: Ceiling
}

export interface ScaleVerdict {
  readonly state: ScaleState
  /** The answer at this tick, whether or not anything is to be done. */
  readonly decision: Decision
  /** True when the answer is news: a change, or one that is held back by something new. */
  readonly news: boolean
}

/** One thing that stands in the way of a proposal: how far it lets the fleet go, and why. */
interface Obstacle {
  readonly name: string
  readonly limit: number
  readonly sentence: string
  readonly wouldChange: string
}

/** One tick of the scaling policy. Pure: the same state and input give the same verdict, today and in a replay. */
export function decide(state: ScaleState, input: ScaleInput, settings: ScalingSettings): ScaleVerdict {
  const holds = advanceHolds(state.holds, input, settings)
  const proposal = propose(holds, input, input, settings)
  const obstacles = proposal.wanted === input.target ? [] : findObstacles(state, input, settings, proposal)
  const grows = proposal.wanted > input.target
  const limits = obstacles.map((obstacle) => obstacle.limit)
  const to = grows ? Math.max(input.target, Math.min(proposal.wanted, ...limits)) : Math.max(proposal.wanted, ...limits)
  const decision: Decision = {
    atMs: input.nowMs,
    from: input.target,
    to,
    wanted: proposal.wanted,
    lane: proposal.lane,
    reason: proposal.reason,
    signals: proposal.signals,
    heldBackBy: obstacles.map((obstacle) => obstacle.sentence),
    wouldChange: obstacles.map((obstacle) => obstacle.wouldChange).join('; ') || whatWouldChange(proposal, input),
  }
  if (to !== input.target) return { state: afterChange(state, input.nowMs, to > input.target), decision, news: true }
  // In shadow mode the windows begin anew as if the change had been made, so that its record reads like the real one.
  const shadowed = obstacles.length === 1 && obstacles[0]?.name === 'shadow'
  if (shadowed) return { state: afterChange(state, input.nowMs, grows), decision, news: true }
  const heldBackKey = obstacles.length === 0 ? null : `${proposal.lane} ${proposal.wanted} ${obstacles.map(({ name }) => name).join(' ')}`
  return { state: { ...state, holds, heldBackKey }, decision, news: heldBackKey !== null && heldBackKey !== state.heldBackKey }
}

/** Readings of the old size say nothing about the new one: after every change the windows begin anew. */
export function afterChange(state: ScaleState, nowMs: number, grew: boolean): ScaleState {
  return { holds: noHolds, grewAtMs: grew ? nowMs : state.grewAtMs, changedAtMs: nowMs, heldBackKey: null }
}

function findObstacles(state: ScaleState, input: ScaleInput, settings: ScalingSettings, proposal: Proposal): Obstacle[] {
  const obstacles: Obstacle[] = []
  const grows = proposal.wanted > input.target
  if (proposal.lane === 'window') obstacles.push(...cooldownObstacle(state, input, settings, grows))
  if (grows && proposal.lane !== 'bounds') obstacles.push(...limitObstacles(input, proposal.wanted))
  if (settings.mode === 'shadow') {
    obstacles.push({ name: 'shadow', limit: input.target, sentence: 'shadow mode: decided, not done', wouldChange: 'run without shadow mode' })
  }
  return obstacles
}

/** After growth wait before growing again; after any change wait before shrinking. */
function cooldownObstacle(state: ScaleState, input: ScaleInput, settings: ScalingSettings, grows: boolean): Obstacle[] {
  const [sinceMs, cooldownMs, side] = grows
    ? [state.grewAtMs, settings.cooldownUpMs, 'up' as const]
    : [state.changedAtMs, settings.cooldownDownMs, 'down' as const]
  const leftMs = sinceMs === null ? 0 : sinceMs + cooldownMs - input.nowMs
  if (leftMs <= 0) return []
  const sentence = `cooldown.${side}: ${describeMs(leftMs)} of ${describeMs(cooldownMs)} left`
  return [{ name: `cooldown.${side}`, limit: input.target, sentence, wouldChange: `${describeMs(leftMs)} more of the same` }]
}

function limitObstacles({ max, ceiling }: ScaleInput, wanted: number): Obstacle[] {
  const obstacles: Obstacle[] = []
  if (wanted > max) {
    const sentence = `workers.max: ${max} is the most; replicas are needed for more`
    obstacles.push({ name: 'max', limit: max, sentence, wouldChange: 'a higher workers.max, or another replica' })
  }
  if (wanted > ceiling.workers) {
    const sentence = `capacity: ${ceiling.because}; more workers cannot help, replicas are needed`
    obstacles.push({ name: 'capacity', limit: ceiling.workers, sentence, wouldChange: 'a larger container, or another replica' })
  }
  return obstacles
}

function whatWouldChange(proposal: Proposal, { target, min }: Bounds): string {
  if (proposal.wanted !== target) return 'the load: this was done'
  if (target > min) return 'one signal above its up-threshold for its whole window (up), or all of them below their down-thresholds (down)'
  return 'one signal above its up-threshold for its whole window'
}
