import type { Ceiling } from './capacity.ts'
import { describeMs } from './describe.ts'
import { whyInVain } from './elsewhere.ts'
import { type Flaps, downCooldownMs, penaltyFactor } from './flaps.ts'
import type { Proposal } from './propose.ts'
import { type Change, allowanceOf } from './rate.ts'
import type { ScalingSettings } from './settings.ts'

/** One thing that stands in the way of a proposal: how far it lets the fleet go, and why. */
export interface Obstacle {
  readonly name: string
  readonly limit: number
  readonly sentence: string
  readonly wouldChange: string
}

export interface Circumstances {
  readonly nowMs: number
  readonly target: number
  readonly max: number
  readonly ceiling: Ceiling
  /** What the database connections feed; null where nobody limits them. */
  readonly databaseCeiling?: Ceiling | null
  /** The size was set by hand, so the load has no say. */
  readonly byHand: boolean
  /** The share of its time that the busiest worker uses; null where that is not known. */
  readonly busiest: number | null
  /** The same of the others, in the mean. */
  readonly others: number | null
  readonly past: Past
}

/** What the fleet did before, as far as it stands in the way now. */
export interface Past {
  readonly grewAtMs: number | null
  readonly changedAtMs: number | null
  readonly flaps: Flaps
  readonly changes: readonly Change[]
}

/** Everything that holds a proposal back, most telling first. A proposal to stay as it is meets only the operator's hand. */
export function findObstacles(proposal: Proposal, now: Circumstances, settings: ScalingSettings): Obstacle[] {
  const obstacles: Obstacle[] = []
  if (now.byHand) obstacles.push({ ...stayAt(now), name: 'manual', ...BY_HAND })
  if (proposal.wanted === now.target) return obstacles
  const grows = proposal.wanted > now.target
  if (grows) obstacles.push(...vainObstacle(proposal, now, settings))
  const shadow = settings.mode === 'shadow'
  // Nothing that is decided in shadow mode comes true, so without its cooldown a surge would decide the same at every tick.
  if (proposal.lane === 'window' || shadow) obstacles.push(...cooldownObstacle(now, settings, grows))
  if (proposal.lane !== 'bounds') obstacles.push(...rateObstacle(now, settings, proposal.wanted))
  if (grows) obstacles.push(...limitObstacles(now, proposal.wanted))
  if (shadow) obstacles.push({ ...stayAt(now), name: 'shadow', sentence: 'shadow mode: decided, not done', wouldChange: 'run without shadow mode' })
  return obstacles
}

const BY_HAND = { sentence: 'manual: the size was set by hand; `scale auto` gives it back', wouldChange: '`scale auto`' }

const stayAt = ({ target }: Circumstances): { readonly limit: number } => ({ limit: target })

/** Floors and the user's own policy name no signals, or name them for people only. */
function vainObstacle({ lane, signals }: Proposal, now: Circumstances, settings: ScalingSettings): Obstacle[] {
  if (lane === 'bounds' || lane === 'custom') return []
  const inVain = whyInVain(Object.keys(signals), now, settings)
  if (inVain === null) return []
  const wouldChange = 'busier workers, or a threshold of your own (scaling.up) for what its workers take at a time'
  return [{ ...stayAt(now), ...inVain, wouldChange }]
}

/** After growth wait before growing again; after any change wait before shrinking. */
function cooldownObstacle(now: Circumstances, settings: ScalingSettings, grows: boolean): Obstacle[] {
  const { grewAtMs, changedAtMs, flaps } = now.past
  const [sinceMs, cooldownMs, side] = grows
    ? [grewAtMs, settings.cooldownUpMs, 'up' as const]
    : [changedAtMs, downCooldownMs(flaps, settings), 'down' as const]
  const leftMs = sinceMs === null ? 0 : sinceMs + cooldownMs - now.nowMs
  if (leftMs <= 0) return []
  const factor = grows ? 1 : penaltyFactor(flaps, settings)
  const penalty = factor === 1 ? '' : ` (${factor} × ${describeMs(settings.cooldownDownMs)}, because it grew right after it shrank)`
  const sentence = `cooldown.${side}: ${describeMs(leftMs)} of ${describeMs(cooldownMs)} left${penalty}`
  return [{ ...stayAt(now), name: `cooldown.${side}`, sentence, wouldChange: `${describeMs(leftMs)} more of the same` }]
}

function rateObstacle({ nowMs, target, past }: Circumstances, settings: ScalingSettings, wanted: number): Obstacle[] {
  const [rate, direction, side, done] =
    wanted > target ? ([settings.rateUp, 1, 'up', 'added'] as const) : ([settings.rateDown, -1, 'down', 'let go'] as const)
  const { workers, againInMs } = allowanceOf(rate, past.changes, direction, nowMs)
  if (rate === null || Math.abs(wanted - target) <= workers) return []
  const sentence = `rate.${side}: at most ${rate.workers} ${rate.workers === 1 ? 'worker' : 'workers'} may be ${done} in ${describeMs(rate.perMs)}`
  const wouldChange = againInMs > 0 ? `${describeMs(againInMs)} more of the same` : `a higher scaling.rate.${side}`
  return [{ name: `rate.${side}`, limit: target + direction * workers, sentence, wouldChange }]
}

function limitObstacles({ max, ceiling, databaseCeiling }: Circumstances, wanted: number): Obstacle[] {
  const obstacles: Obstacle[] = []
  if (databaseCeiling && wanted > databaseCeiling.workers) {
    const sentence = `database.budget: ${databaseCeiling.because()}`
    obstacles.push({
      name: 'database',
      limit: databaseCeiling.workers,
      sentence,
      wouldChange: 'a higher database.budget, or a lower database.minPerWorker',
    })
  }
  if (wanted > max) {
    const sentence = `workers.max: ${max} is the most; replicas are needed for more`
    obstacles.push({ name: 'max', limit: max, sentence, wouldChange: 'a higher workers.max, or another replica' })
  }
  if (wanted > ceiling.workers) {
    const sentence = `capacity: ${ceiling.because()}; more workers cannot help, replicas are needed`
    obstacles.push({ name: 'capacity', limit: ceiling.workers, sentence, wouldChange: 'a larger container, or another replica' })
  }
  return obstacles
}
