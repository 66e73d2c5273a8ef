import type { Fleet } from '../fleet/fleet.ts'
import type { Advice } from '../policy/advice.ts'

/** Someone else who decides how many workers there are: once a tick, after the fleet has taken in its samples. */
export type Pilot = (fleet: Fleet, nowMs: number) => number

/** Who has a say besides the built-in policy. */
export interface Helm {
  readonly pilot?: Pilot | undefined
  /** The user's own policy. */
  readonly advise?: (() => Advice | null) | undefined
}
