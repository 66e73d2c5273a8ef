import type { Random } from './random.ts'
import { type LoadPoint, createLoad } from './scenario.ts'

/** Requests that come in. */
export interface Arrivals {
  /** How many came in the `sliceMs` that end at `nowMs`; asked once for each slice, in order. */
  next(nowMs: number, sliceMs: number): number
}

/** Requests come by chance: their number varies as their mean does. */
export function createArrivals(points: readonly LoadPoint[], random: Random): Arrivals {
  const load = createLoad(points)
  let fraction = 0
  return {
    next(nowMs, sliceMs) {
      const mean = (load(nowMs) * sliceMs) / 1000
      const chance = Math.sqrt(mean) * (random.next() + random.next() - 1)
      fraction += Math.max(0, mean + chance)
      const arriving = Math.floor(fraction)
      fraction -= arriving
      return arriving
    },
  }
}
