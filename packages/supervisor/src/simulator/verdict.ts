import type { Checkers } from './checkers.ts'
import type { World } from './world.ts'

/** What is wrong with a life; nothing is the only good answer. */
export interface Verdict {
  readonly broken: readonly string[]
  /** Steps until something was, or in all. */
  readonly steps: number
  readonly transcript: readonly string[]
}

/** By then a fleet has healed: boots that took ten times as long, drains one after the other. */
export const HEALED_BY_MS = 240_000
export const SLACK_MS = 1000
/** The last steps of a life are where it went wrong. */
export const TRANSCRIPT_STEPS = 60

/** What has not come back after all faults have ended. */
export function notHealed({ fleet, ended }: Pick<World, 'fleet' | 'ended'>, checkers: Checkers): string[] {
  if (ended) return ['the supervisor has ended, though nobody asked for it']
  const broken: string[] = []
  if (fleet.phase !== 'running') broken.push(`the fleet is ${fleet.phase} after its faults have ended`)
  if (fleet.reload) broken.push('the reload has not ended')
  // The load may just have changed the target: what misses is on its way.
  const onTheirWay = fleet.workers.filter(({ life }) => life.kind === 'booting' && life.role === 'worker').length
  const [ready, isBeingReplaced] = [checkers.ready(), fleet.workers.some(({ replaces }) => replaces !== null)]
  if (ready + onTheirWay < fleet.target || (ready > fleet.target && !isBeingReplaced))
    broken.push(`${ready} workers are ready and ${onTheirWay} boot after all faults have ended; the target is ${fleet.target}`)
  return broken
}
