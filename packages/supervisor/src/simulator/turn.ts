import type { FleetEvent } from '../fleet/event.ts'
import type { Step } from '../fleet/step.ts'
import type { Ledger } from './workplace.ts'

/** What happens to a fleet, before the world has said when. A function, since a copy with its time is what a step would spend most on. */
export type NewEvent = (nowMs: number) => FleetEvent

/** One step of the core, and how the world stood after it. */
export interface Turn extends Step {
  readonly event: FleetEvent
  readonly ledger: Ledger
  /** The time of the world; the primary's own (`event.nowMs`) stands still while the primary does. */
  readonly atMs: number
  /** Database connections as the server counts them, where they are limited. */
  readonly connections: number
}
