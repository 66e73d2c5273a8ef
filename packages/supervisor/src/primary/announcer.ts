import type { TimedNote } from '../fleet/note.ts'

type Listener = (note: TimedNote) => unknown

/** Tells notes to whoever listens. A listener that throws, or answers with a promise that rejects, hurts only itself. */
export interface Announcer {
  tell(note: TimedNote): void
  /** Calls back for every note; returns the way to end that. */
  subscribe(listener: Listener): () => void
}

export function createAnnouncer(): Announcer {
  const listeners = new Set<Listener>()
  return {
    tell(note) {
      const failed = (error: unknown): void => process.emitWarning(`a listener of ${note.kind} failed: ${String(error)}`, 'StationmasterWarning')
      for (const listener of listeners) {
        try {
          const answer = listener({ ...note })
          if (answer instanceof Promise) answer.catch(failed)
        } catch (error) {
          failed(error)
        }
      }
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
