import type { Ceiling } from './capacity.ts'
import { describeMs } from './describe.ts'
import type { Proposal } from './propose.ts'
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
  /** The size was set by hand, so the load has no say. */
  readonly byHand: boolean
  readonly grewAtMs: number | null
  readonly changedAtMs: number | null
}

/** Everything that holds a proposal back, most telling first. A proposal to stay as it is meets only the operator's hand. */
export function findObstacles(proposal: Proposal, now: Circumstances, settings: ScalingSettings): Obstacle[] {
  const obstacles: Obstacle[] = []
  if (now.byHand) obstacles.push({ ...stayAt(now), name: 'manual', ...BY_HAND })
  if (proposal.wanted === now.target) return obstacles
  const grows = proposal.wanted > now.target
  const shadow = settings.mode === 'shadow'
  // Nothing that is decided in shadow mode comes true, so without its cooldown a surge would decide the same at every tick.
  if (proposal.lane === 'window' || shadow) obstacles.push(...cooldownObstacle(now, settings, grows))
  if (grows) obstacles.push(...limitObstacles(now, proposal.wanted))
  if (shadow) obstacles.push({ ...stayAt(now), name: 'shadow', sentence: 'shadow mode: decided, not done', wouldChange: 'run without shadow mode' })
  return obstacles
}

const BY_HAND = { sentence: 'manual: the size was set by hand; `scale auto` gives it back', wouldChange: '`scale auto`' }

const stayAt = ({ target }: Circumstances): { readonly limit: number } => ({ limit: target })

/** After growth wait before growing again; after any change wait before shrinking. */
function cooldownObstacle(now: Circumstances, settings: ScalingSettings, grows: boolean): Obstacle[] {
  const [sinceMs, cooldownMs, side] = grows
    ? [now.grewAtMs, settings.cooldownUpMs, 'up' as const]
    : [now.changedAtMs, settings.cooldownDownMs, 'down' as const]
  const leftMs = sinceMs === null ? 0 : sinceMs + cooldownMs - now.nowMs
  if (leftMs <= 0) return []
  const sentence = `cooldown.${side}: ${describeMs(leftMs)} of ${describeMs(cooldownMs)} left`
  return [{ ...stayAt(now), name: `cooldown.${side}`, sentence, wouldChange: `${describeMs(leftMs)} more of the same` }]
}

function limitObstacles({ max, ceiling }: Circumstances, wanted: number): Obstacle[] {
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
