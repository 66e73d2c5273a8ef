import type { Command } from './command.ts'
import type { Fleet, Worker } from './fleet.ts'
import type { Note } from './note.ts'
import { type LifeEvent, REFUSE, STAY, nextLife } from './slot.ts'

/** A fleet while one step works on it: the same fields, open to change, with the commands and notes that the step gives out. */
export interface Draft {
  readonly fleet: { -readonly [Key in keyof Fleet]: Fleet[Key] }
  readonly commands: Command[]
  readonly notes: Note[]
}

export function openDraft(fleet: Fleet, nowMs: number): Draft {
  // A clock that went back would make ages negative; time stands still instead.
  return { fleet: { ...fleet, nowMs: Math.max(nowMs, fleet.nowMs) }, commands: [], notes: [] }
}

export function findWorker(draft: Draft, workerId: number): Worker | null {
  return draft.fleet.workers.find((worker) => worker.id === workerId) ?? null
}

export function patchWorker(draft: Draft, workerId: number, fields: Partial<Worker>): void {
  draft.fleet.workers = draft.fleet.workers.map((worker) => (worker.id === workerId ? { ...worker, ...fields } : worker))
}

/** Moves a worker along its life. A transition that the table refuses changes nothing and is reported. Tells whether it moved. */
export function live(draft: Draft, worker: Worker, event: LifeEvent): boolean {
  const next = nextLife(worker.life, event)
  if (next === STAY) return false
  if (next === REFUSE) {
    draft.notes.push({ kind: 'supervisor:bug', message: `worker ${worker.id} cannot ${event.kind} while ${worker.life.kind}` })
    return false
  }
  if (next.kind === 'vacant') draft.fleet.workers = draft.fleet.workers.filter((other) => other.id !== worker.id)
  else patchWorker(draft, worker.id, { life: next })
  return true
}
