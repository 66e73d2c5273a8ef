import { afterExit } from '../policy/respawn.ts'
import { type Draft, findWorker, live } from './draft.ts'
import type { Exited } from './event.ts'
import type { Worker } from './fleet.ts'
import { abortReload, failsReload } from './reload.ts'
import { failStop } from './shutdown.ts'

/** A worker is gone. Was it asked to go? If not, that counts, and too many of them end the supervisor. */
export function onExited(draft: Draft, exit: Exited): void {
  const { fleet } = draft
  const worker = findWorker(draft, exit.workerId)
  if (!worker) return
  const expected = worker.life.kind === 'draining' || (worker.life.kind === 'killing' && !worker.life.failed)
  const wasReady = worker.life.kind === 'ready' || worker.life.kind === 'spare'
  live(draft, worker, { kind: 'exit' })
  const { code, signal, cause, lastStderrLines } = exit
  draft.notes.push({ kind: 'worker:exited', workerId: worker.id, slot: worker.slot, expected, code, signal, cause, lastStderrLines })
  if (expected) return
  const { kind: _, ...last } = exit
  fleet.lastExit = { ...last, atMs: fleet.nowMs }
  const how = worker.leaving ?? describeExit(exit)
  if (failsReload(draft, worker)) return abortReload(draft, worker, exit, how)
  countFailure(draft, `worker ${worker.id} ${how}${wasReady ? '' : ' before it was ready'}`, lastStderrLines)
}

export function onForkFailed(draft: Draft, worker: Worker, message: string): void {
  live(draft, worker, { kind: 'exit' })
  draft.notes.push({ kind: 'worker:fork-failed', workerId: worker.id, message })
  const exit: Exited = { kind: 'exited', workerId: worker.id, code: null, signal: null, cause: message, lastStderrLines: [] }
  if (failsReload(draft, worker)) return abortReload(draft, worker, exit, `could not be forked (${message})`)
  countFailure(draft, `worker ${worker.id} could not be forked: ${message}`, [])
}

function countFailure(draft: Draft, what: string, lastStderrLines: readonly string[]): void {
  const { fleet } = draft
  const settings = fleet.settings.restart
  const verdict = afterExit(fleet.respawn, fleet.nowMs, settings)
  fleet.respawn = verdict.state
  fleet.restarts++
  const recent = verdict.state.exitsMs.length
  if (fleet.phase === 'draining' || fleet.phase === 'stopped') return
  if (!verdict.exceeded) {
    draft.notes.push({ kind: 'fleet:restarting', inMs: verdict.delayMs, recent, intensity: settings.intensity })
    return
  }
  const lines = lastStderrLines.length > 0 ? `\nIts last lines on stderr:\n${lastStderrLines.map((line) => `  ${line}`).join('\n')}` : ''
  const message = `The app failed ${recent} times within ${settings.windowMs / 1000} s, more than the restart intensity of ${settings.intensity} allows; last, ${what}.${lines}`
  failStop(draft, message, 'the restart intensity was exceeded')
}

function describeExit({ code, signal, cause }: Exited): string {
  const how = signal ? `was ended by ${signal}` : `exited with code ${code}`
  return cause ? `${how} (${cause})` : how
}
