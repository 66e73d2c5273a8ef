import type { Fleet } from '../fleet/fleet.ts'
import type { step } from '../fleet/step.ts'
import type { Advice } from '../policy/advice.ts'
import type { beat } from '../policy/share.ts'
import type { NewEvent } from './turn.ts'

/** Someone else who decides how many workers there are: once a tick, after the fleet has taken in its samples. */
export type Pilot = (fleet: Fleet, nowMs: number) => number

/** Requests of a pilot are numbered from here on, those of a scenario's operators from one. */
const PILOT_REQUESTS = 1_000_000

/** The pilot speaks as an operator would, from the first tick on; the fleet carries it out as it always does. */
export function createOrders(pilot: Pilot): (fleet: Fleet, nowMs: number) => NewEvent | null {
  let requests = 0
  return (fleet, nowMs) => {
    if (fleet.phase !== 'running') return null
    const workers = pilot(fleet, nowMs)
    if (requests > 0 && workers === fleet.target) return null
    const requestId = PILOT_REQUESTS + ++requests
    return (atMs) => ({ kind: 'scaleRequested', requestId, workers, nowMs: atMs })
  }
}

/** Who has a say besides the built-in policy. */
export interface Helm {
  readonly pilot?: Pilot | undefined
  /** In place of the production core: for tests of those who judge it. */
  readonly step?: typeof step
  /** The same for what replicas make of the document that they share. */
  readonly beat?: typeof beat
  /** The user's own policy. */
  readonly advise?: (() => Advice | null) | undefined
}
