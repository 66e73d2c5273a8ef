import { describeMs } from '../policy/describe.ts'
import { TICKS_ABOVE_MEMORY_LIMIT, isStuck, silentMs } from '../policy/health.ts'
import { isReady, successorOf } from './census.ts'
import { type Draft, findWorker, patchWorker } from './draft.ts'
import type { Worker } from './fleet.ts'
import { killWorker } from './lifecycle.ts'
import { mayFork } from './reconcile.ts'
import { replaceWorker } from './reload.ts'

/** Workers whose time is up: a boot that never ended, a drain past its deadline. */
export function enforceDeadlines(draft: Draft): void {
  const { nowMs, settings } = draft.fleet
  for (const worker of draft.fleet.workers) {
    const { life } = worker
    if (life.kind === 'booting' && nowMs >= life.deadlineMs) {
      killWorker(draft, worker, `was not ready within ${describeMs(settings.workers.bootTimeoutMs)} (workers.bootTimeout)`, true)
    }
    if (life.kind === 'draining' && nowMs >= life.deadlineMs) killWorker(draft, worker, 'its drain did not end by its deadline', false)
  }
}

/** Once a tick: stuck event loops, memory over the limit, health probes that are due. */
export function examine(draft: Draft): void {
  for (const worker of draft.fleet.workers.filter(isReady)) {
    examineLoop(draft, worker)
    examineMemory(draft, worker)
    probe(draft, worker)
  }
}

/** `leaving` is set when the diagnosis begins, so that it begins once; the kill follows when the report is written. */
function examineLoop(draft: Draft, worker: Worker): void {
  const { nowMs, settings } = draft.fleet
  if (worker.life.kind !== 'ready' || worker.leaving !== null) return
  const silentForMs = silentMs(worker.reportAtMs, worker.life.readyAtMs, nowMs)
  if (!isStuck(silentForMs, settings.health)) return
  patchWorker(draft, worker.id, { leaving: `was stuck: nothing was heard of it for ${describeMs(silentForMs)}` })
  draft.notes.push({ kind: 'worker:stuck', workerId: worker.id, silentMs: Math.round(silentForMs) })
  draft.commands.push({ kind: 'diagnose', workerId: worker.id })
}

export function onDiagnosed(draft: Draft, workerId: number, reportPath: string | null): void {
  draft.notes.push({ kind: 'worker:diagnosed', workerId, reportPath })
  const worker = findWorker(draft, workerId)
  if (worker) killWorker(draft, worker, worker.leaving ?? 'was stuck', true)
}

/** Replacement first, then drain; one worker at a time, since all of them may have grown together. */
function examineMemory(draft: Draft, worker: Worker): void {
  const { fleet } = draft
  const limitBytes = fleet.settings.workers.memoryLimitBytes
  if (worker.memoryBytes === null) return
  const above = worker.memoryBytes > limitBytes ? worker.ticksAboveMemoryLimit + 1 : 0
  patchWorker(draft, worker.id, { ticksAboveMemoryLimit: above })
  if (above < TICKS_ABOVE_MEMORY_LIMIT || successorOf(fleet, worker.id)) return
  if (fleet.workers.some((other) => other.replaces !== null) || !mayFork(draft)) return
  draft.notes.push({ kind: 'worker:memory', workerId: worker.id, memoryBytes: worker.memoryBytes, limitBytes })
  replaceWorker(draft, worker, fleet.generation)
}

function probe(draft: Draft, worker: Worker): void {
  const { path, intervalMs, timeoutMs } = draft.fleet.settings.health
  if (path === null || draft.fleet.nowMs - worker.probedAtMs < intervalMs) return
  patchWorker(draft, worker.id, { probedAtMs: draft.fleet.nowMs })
  draft.commands.push({ kind: 'probe', workerId: worker.id, path, timeoutMs })
}

/** An ill worker is replaced, start before stop, and one at a time: a dependency that failed for all must not end them all. */
export function onProbed(draft: Draft, workerId: number, healthy: boolean, detail: string): void {
  const worker = findWorker(draft, workerId)
  if (!worker || !isReady(worker)) return
  const failedProbes = healthy ? 0 : worker.failedProbes + 1
  patchWorker(draft, workerId, { failedProbes })
  if (failedProbes < draft.fleet.settings.health.unhealthyThreshold) return
  draft.notes.push({ kind: 'worker:unhealthy', workerId, detail })
  if (!draft.fleet.workers.some((other) => other.replaces !== null) && mayFork(draft)) replaceWorker(draft, worker, draft.fleet.generation)
}
