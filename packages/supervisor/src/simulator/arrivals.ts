import type { Random } from './random.ts'
import { type LoadPoint, type Scenario, createLoad } from './scenario.ts'

/** Requests that come in. */
export interface Arrivals {
  /** How many came in the `sliceMs` that end at `nowMs`; asked once for each slice, in order. */
  next(nowMs: number, sliceMs: number): number
  /** From now on they come as they do now, and no more than so many a second. */
  settle(nowMs: number, mostPerSecond: number): void
}

/** Requests come by chance: their number varies as their mean does. */
export function createArrivals(points: readonly LoadPoint[], random: Random): Arrivals {
  const load = createLoad(points)
  let [fraction, steady] = [0, null as number | null]
  return {
    next(nowMs, sliceMs) {
      const mean = ((steady ?? load(nowMs)) * sliceMs) / 1000
      const chance = Math.sqrt(mean) * (random.next() + random.next() - 1)
      fraction += Math.max(0, mean + chance)
      const arriving = Math.floor(fraction)
      fraction -= arriving
      return arriving
    },
    settle(nowMs, mostPerSecond) {
      steady = Math.min(load(nowMs), mostPerSecond)
    },
  }
}

/** What others have sent there, all of it at the next slice. */
export function takenFrom(inbox: { requests: number }): Arrivals {
  return {
    next() {
      const { requests } = inbox
      inbox.requests = 0
      return requests
    },
    settle() {},
  }
}

/** Of a core, and of a single connection, what requests take that leave any fleet time to heal. */
const EASY_SHARE = 0.05

/** Requests a second that one worker on a busy machine answers with ease, and with one connection to what it waits for. */
export function easyLoad({ request: { cpuMs, waitMs }, host: { cpus } }: Scenario): number {
  return (EASY_SHARE * 1000) / Math.max(cpuMs / Math.min(1, cpus), waitMs)
}
