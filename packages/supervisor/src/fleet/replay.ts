import type { Decision } from '../policy/decision.ts'
import type { FleetEvent } from './event.ts'
import type { Fleet } from './fleet.ts'
import type { Note } from './note.ts'
import { step } from './step.ts'

/** A fleet as it was, at its birth or in the middle of its life, and every event since, in order. */
export interface Recording {
  readonly start: Fleet
  readonly events: readonly FleetEvent[]
}

export interface Replay {
  readonly fleet: Fleet
  readonly decisions: readonly Decision[]
  readonly notes: readonly Note[]
}

/** Feeds a recording through `step` again. The same recording gives the same decisions, byte for byte. */
export function replay(recording: Recording): Replay {
  let fleet = recording.start
  const notes: Note[] = []
  for (const event of recording.events) {
    const next = step(fleet, event)
    fleet = next.fleet
    for (const note of next.notes) notes.push(note)
  }
  const decisions = notes.flatMap((note) => (note.kind === 'fleet:decided' ? [note.decision] : []))
  return { fleet, decisions, notes }
}
