import type { Readings } from './holds.ts'
import { SHARED_LOADS } from './signals.ts'

/**
 * The surge lane orders in a hurry and more than the rush needs once its backlog is worked off. What it ordered need not leave one by one: when
 * all has been quiet for the whole windows of shrinking, so many go at once as leave it quiet for those that stay.
 */

/** How many workers leave when all is quiet by these readings: the configured step, or what surges added as far as nobody will miss it. */
export function shrinkStep(target: number, surged: number, quiet: Readings, stepDown: number): number {
  let enough = target - Math.min(surged, target - 1)
  for (const name of SHARED_LOADS) {
    const reading = quiet[name]
    // Without all three nothing says when those that stay would have too much.
    if (!reading || reading.value === null || reading.threshold <= 0) return stepDown
    enough = Math.max(enough, Math.ceil((reading.value * target) / reading.threshold))
  }
  return Math.max(stepDown, target - enough)
}
