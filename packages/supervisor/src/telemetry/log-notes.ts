import type { TimedNote } from '../fleet/note.ts'
import type { Logger } from '../primary/ports.ts'
import { describeNote } from './describe-note.ts'

/** Turns every note into a log line; returns the way to end that. */
export function logNotes(subscribe: (listener: (note: TimedNote) => void) => () => void, logger: Logger): () => void {
  return subscribe((note) => {
    const { level, message, fields } = describeNote(note)
    // Every line carries its time already.
    const { atMs: _, ...rest } = fields
    logger[level](message, rest)
  })
}
