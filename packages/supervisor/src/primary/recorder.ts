import type { FleetEvent } from '../fleet/event.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { Journal } from './journal.ts'

/**
 * At one sample a second some ten minutes; older events are dropped a segment at a time. Events are kept as text, which takes a third of
 * the memory: what is there to explain a surprise must not be what surprises.
 */
const EVENTS_PER_SEGMENT = 600

interface Segment {
  readonly start: Fleet
  readonly events: string[]
}

export interface Recorder {
  record(event: FleetEvent): void
  /** JSON Lines: a fleet as it was (`"kind":"start"`), then every event since. Fed to `replay`, they give the same decisions again. */
  lines(): Iterable<string>
}

/** Remembers between one and two segments of events, so that what just happened can be replayed, in bounded memory. */
export function createRecorder(fleet: () => Fleet, journal: Journal | null): Recorder {
  let older: Segment | null = null
  let current: Segment = { start: fleet(), events: [] }
  return {
    record(event) {
      journal?.record(event, fleet)
      if (current.events.length >= EVENTS_PER_SEGMENT) {
        older = current
        current = { start: fleet(), events: [] }
      }
      current.events.push(JSON.stringify(event))
    },
    lines() {
      const { start } = older ?? current
      return [JSON.stringify({ kind: 'start', ...start }), ...(older?.events ?? []), ...current.events]
    },
  }
}
