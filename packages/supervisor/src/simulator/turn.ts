import type { FleetEvent } from '../fleet/event.ts'
import type { Step } from '../fleet/step.ts'
import type { Ledger } from './workplace.ts'

type Unstamped<Event> = Event extends unknown ? Omit<Event, 'nowMs'> : never

/** What happens to a fleet, before the world has said when. */
export type NewEvent = Unstamped<FleetEvent>

/** One step of the core, and how the world stood after it. */
export interface Turn extends Step {
  readonly event: FleetEvent
  readonly ledger: Ledger
  /** The time of the world; the primary's own (`event.nowMs`) stands still while the primary does. */
  readonly atMs: number
  /** Database connections as the server counts them, where they are limited. */
  readonly connections: number
}
