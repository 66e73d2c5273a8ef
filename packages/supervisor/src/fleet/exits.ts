import { type Draft, findWorker, live } from './draft.ts'
import type { Exited } from './event.ts'
import { countFailure, countSpareFailure, failStart } from './failures.ts'
import type { Worker } from './fleet.ts'
import { quarantine } from './quarantine.ts'
import { abortReload, failsReload } from './reload.ts'
import type { Life } from './slot.ts'

/** A worker is gone. Was it asked to go? If not, that counts, and too many of them end the supervisor. */
export function onExited(draft: Draft, exit: Exited): void {
  const worker = findWorker(draft, exit.workerId)
  if (!worker || !live(draft, worker, { kind: 'exit' })) return
  quarantine(draft, worker)
  const expected = wasAskedToGo(worker.life)
  const { code, signal, cause, lastStderrLines } = exit
  const { id: workerId, slot, leaving: because } = worker
  draft.notes.push({ kind: 'worker:exited', workerId, slot, expected, because, code, signal, cause, lastStderrLines })
  if (expected) return
  draft.fleet.lastExit = { workerId: worker.id, code, signal, cause, lastStderrLines, atMs: draft.fleet.nowMs }
  onFailed(draft, worker, { how: worker.leaving ?? describeExit(exit), lastStderrLines, ofEnvironment: false })
}

/** The machine refused a process. Nobody's fault in the app, so it never ends a fleet that serves. */
export function onForkFailed(draft: Draft, workerId: number, message: string): void {
  const worker = findWorker(draft, workerId)
  if (!worker) return
  if (worker.pid !== null) {
    draft.notes.push({ kind: 'supervisor:bug', message: `the fork of worker ${workerId} failed though it has the pid ${worker.pid}` })
    return
  }
  live(draft, worker, { kind: 'exit' })
  draft.notes.push({ kind: 'worker:fork-failed', workerId, message })
  if (!wasAskedToGo(worker.life)) onFailed(draft, worker, { how: `could not be forked: ${message}`, lastStderrLines: [], ofEnvironment: true })
}

interface Failed {
  readonly how: string
  readonly lastStderrLines: readonly string[]
  readonly ofEnvironment: boolean
}

function onFailed(draft: Draft, worker: Worker, { how, lastStderrLines, ofEnvironment }: Failed): void {
  const { life } = worker
  if (draft.fleet.phase === 'draining' || draft.fleet.phase === 'stopped') return
  if (failsReload(draft, worker)) return abortReload(draft, worker, how, lastStderrLines)
  const failure = {
    slot: worker.slot,
    what: `worker ${worker.id} ${how}${life.kind === 'booting' ? ' before it was ready' : ''}`,
    lastStderrLines,
    ofEnvironment,
  }
  if (wasSpare(life)) return countSpareFailure(draft, failure)
  // A boot that takes its whole time once will take it again: while nobody serves yet, more tries only hide the cause.
  const bootTimedOut = life.kind === 'killing' && !life.booted
  if (bootTimedOut && draft.fleet.phase === 'starting') return failStart(draft, failure)
  countFailure(draft, failure)
}

const wasAskedToGo = (life: Life): boolean => life.kind === 'draining' || (life.kind === 'killing' && !life.failed)
const wasSpare = (life: Life): boolean => life.kind === 'spare' || ((life.kind === 'booting' || life.kind === 'killing') && life.role === 'spare')

function describeExit({ code, signal, cause }: Exited): string {
  const how = signal ? `was ended by ${signal}` : `exited with code ${code}`
  return cause ? `${how} (${cause})` : how
}
