import type { FleetSettings } from '../fleet/fleet.ts'
import { type Arrivals, createArrivals } from './arrivals.ts'
import { Backends } from './database.ts'
import { createRandom } from './random.ts'
import type { Scenario } from './scenario.ts'

/** What a replica is given when it begins. */
export interface Birth {
  readonly atMs: number
  readonly arrivals: Arrivals
  /** Its database connections, which outlive it; null where nobody limits them. */
  readonly backends: Backends | null
}

/** One that is alone has all of the load from the first moment. */
export function aloneFromTheStart({ database }: FleetSettings, { seed, load }: Scenario): Birth {
  const backends = database ? new Backends(createRandom(seed + 2)) : null
  return { atMs: 0, arrivals: createArrivals(load, createRandom(seed + 1)), backends }
}
