import type { Peer, PeerInput } from './peer.ts'

/** How much may change within a period: so many, or so many per cent of what there was at its beginning. */
interface Rule {
  readonly type: 'pods' | 'percent'
  readonly value: number
  readonly periodMs: number
}

interface Behavior {
  readonly rules: readonly Rule[]
  readonly stabilizationMs: number
}

export interface HpaSettings {
  /** Share of a core that a worker is to use. */
  readonly targetCpu: number
  readonly up: Behavior
  readonly down: Behavior
}

const LOOP_MS = 15_000
const TOLERANCE = 0.1
/** A worker's CPU does not count sooner after it is ready: its start says nothing about load. */
const INITIAL_DELAY_MS = 30_000

export const hpaDefaults: HpaSettings = {
  targetCpu: 0.7,
  up: {
    rules: [
      { type: 'percent', value: 100, periodMs: 15_000 },
      { type: 'pods', value: 4, periodMs: 15_000 },
    ],
    stabilizationMs: 0,
  },
  down: { rules: [{ type: 'percent', value: 100, periodMs: 15_000 }], stabilizationMs: 300_000 },
}

/**
 * Kubernetes' HorizontalPodAutoscaler (autoscaling/v2) on CPU: every 15 seconds `ceil(ready × current / target)` unless within 10 %;
 * missing metrics count against the direction, workers younger than 30 seconds against growth; then stabilised, then limited by the rules of `behavior` (the one that allows most), then clamped.
 */
export function createHpa(settings: HpaSettings = hpaDefaults): Peer {
  let lookedAtMs = Number.NEGATIVE_INFINITY
  let recommendations: { readonly atMs: number; readonly workers: number }[] = []
  let changes: { readonly atMs: number; readonly by: number }[] = []

  function decide(seen: PeerInput): number {
    if (seen.nowMs - lookedAtMs < LOOP_MS) return seen.target
    lookedAtMs = seen.nowMs
    // The size it meets counts as recommended, so that what was there before it is not shrunk at once.
    if (recommendations.length === 0) recommendations = [{ atMs: seen.nowMs, workers: seen.target }]
    const clamped = limitedChange(settings, seen, stabilized(seen, recommendation(settings, seen)))
    const wanted = Math.max(seen.min, Math.min(seen.max, clamped))
    if (wanted !== seen.target) changes.push({ atMs: seen.nowMs, by: wanted - seen.target })
    return wanted
  }

  function stabilized({ nowMs, target }: PeerInput, workers: number): number {
    const longestMs = Math.max(settings.up.stabilizationMs, settings.down.stabilizationMs)
    recommendations = [...recommendations.filter(({ atMs }) => nowMs - atMs < longestMs), { atMs: nowMs, workers }]
    const within = (windowMs: number): number[] => [
      workers,
      ...recommendations.filter(({ atMs }) => nowMs - atMs < windowMs).map((each) => each.workers),
    ]
    const least = Math.min(...within(settings.up.stabilizationMs))
    const most = Math.max(...within(settings.down.stabilizationMs))
    return Math.min(Math.max(target, least), most)
  }

  function limitedChange({ up, down }: HpaSettings, { nowMs, target }: PeerInput, workers: number): number {
    const longestMs = Math.max(...[...up.rules, ...down.rules].map(({ periodMs }) => periodMs))
    changes = changes.filter(({ atMs }) => nowMs - atMs < longestMs)
    const before = (periodMs: number): number => {
      const within = changes.filter(({ atMs }) => nowMs - atMs < periodMs)
      return target - within.reduce((sum, { by }) => sum + by, 0)
    }
    if (workers > target) return Math.max(target, Math.min(workers, Math.max(...up.rules.map((rule) => highest(rule, before(rule.periodMs))))))
    if (workers < target) return Math.min(target, Math.max(workers, Math.min(...down.rules.map((rule) => lowest(rule, before(rule.periodMs))))))
    return target
  }

  return { name: 'hpa', source: 'Kubernetes autoscaling/v2, defaults, CPU target 70 % (kubernetes.io, Horizontal Pod Autoscaling)', decide }
}

const highest = ({ type, value }: Rule, from: number): number => (type === 'pods' ? from + value : Math.ceil(from * (1 + value / 100) - 1e-9))
const lowest = ({ type, value }: Rule, from: number): number => (type === 'pods' ? from - value : Math.floor(from * (1 - value / 100) + 1e-9))

function recommendation({ targetCpu }: HpaSettings, { ready, target }: PeerInput): number {
  const grown = ready.filter(({ readyForMs }) => readyForMs >= INITIAL_DELAY_MS)
  const known = grown.flatMap(({ cpu }) => cpu ?? [])
  if (known.length === 0) return target
  const used = known.reduce((sum, cpu) => sum + cpu, 0)
  const ratio = used / known.length / targetCpu
  // Where it would grow, who is young or has no metric counts as idle; where it would shrink the young are set aside, and no metric is full use.
  const young = ratio > 1 ? Math.max(target, ready.length) - grown.length : 0
  const missing = grown.length - known.length
  const counted = known.length + missing + young
  const withMissing = (used + (ratio < 1 ? missing * targetCpu : 0)) / counted / targetCpu
  const turned = (ratio > 1 && withMissing < 1) || (ratio < 1 && withMissing > 1)
  if (Math.abs(1 - withMissing) <= TOLERANCE || turned) return target
  const wanted = Math.ceil(withMissing * counted - 1e-9)
  // It never turns against what called for it.
  return wanted > target === withMissing > 1 ? wanted : target
}
