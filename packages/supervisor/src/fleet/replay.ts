import type { Decision } from '../policy/decision.ts'
import type { FleetEvent } from './event.ts'
import { type Fleet, type FleetSettings, initialFleet } from './fleet.ts'
import type { Note } from './note.ts'
import { step } from './step.ts'

/** A recording: the settings the fleet began with, and every event since, in order. */
export interface Recording {
  readonly settings: FleetSettings
  readonly events: readonly FleetEvent[]
}

export interface Replay {
  readonly fleet: Fleet
  readonly decisions: readonly Decision[]
  readonly notes: readonly Note[]
}

/** Feeds a recording through `step` again. The same recording gives the same decisions, byte for byte. */
export function replay(recording: Recording): Replay {
  let fleet = initialFleet(recording.settings)
  const notes: Note[] = []
  for (const event of recording.events) {
    const next = step(fleet, event)
    fleet = next.fleet
    for (const note of next.notes) notes.push(note)
  }
  const decisions = notes.flatMap((note) => (note.kind === 'fleet:decided' ? [note.decision] : []))
  return { fleet, decisions, notes }
}
