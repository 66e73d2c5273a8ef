import { describeMs } from '../policy/describe.ts'
import { LONGEST_DIAGNOSIS_MS, TICKS_ABOVE_MEMORY_LIMIT, isSilentTooLong, mayRecycle } from '../policy/health.ts'
import { isReady, isReadySpare, isReplacing, isStuck } from './census.ts'
import { type Draft, findWorker, patchWorker } from './draft.ts'
import type { Worker } from './fleet.ts'
import { drainWorker, killWorker } from './lifecycle.ts'
import { mayReplace, replaceWorker } from './reload.ts'

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
  for (const worker of draft.fleet.workers) {
    if (isStuck(worker)) endLateDiagnosis(draft, worker)
    else if (isReady(worker) || isReadySpare(worker)) examineLoop(draft, worker)
    const still = findWorker(draft, worker.id)
    if (!still || !isReady(still)) continue
    examineMemory(draft, still)
    probe(draft, still)
  }
}

/** From here on it counts as gone, so its place is filled at once; it ends itself when its diagnosis is written. */
function examineLoop(draft: Draft, worker: Worker): void {
  const { nowMs, settings } = draft.fleet
  if (!isSilentTooLong(worker.silentMs, settings.health)) return
  patchWorker(draft, worker.id, { stuckAtMs: nowMs, leaving: `was stuck: nothing was heard of it for ${describeMs(worker.silentMs)}` })
  draft.notes.push({ kind: 'worker:stuck', workerId: worker.id, silentMs: Math.round(worker.silentMs) })
  draft.commands.push({ kind: 'diagnose', workerId: worker.id })
}

export function onDiagnosed(draft: Draft, workerId: number, reportPath: string | null): void {
  draft.notes.push({ kind: 'worker:diagnosed', workerId, reportPath })
  const worker = findWorker(draft, workerId)
  if (worker && worker.stuckAtMs !== null) endStuck(draft, worker)
}

function endLateDiagnosis(draft: Draft, worker: Worker): void {
  if (draft.fleet.nowMs - (worker.stuckAtMs ?? draft.fleet.nowMs) > LONGEST_DIAGNOSIS_MS) endStuck(draft, worker)
}

/** One that came back meanwhile has requests to answer: it is replaced all the same, but drained. */
function endStuck(draft: Draft, worker: Worker): void {
  const reason = worker.leaving ?? 'was stuck'
  const stillSilent = isSilentTooLong(worker.silentMs, draft.fleet.settings.health)
  if (isStuck(worker) && !stillSilent) drainWorker(draft, worker, reason)
  else if (stillSilent) killWorker(draft, worker, reason, isStuck(worker))
}

/** Replacement first, then drain; one worker at a time, since all of them may have grown together. */
function examineMemory(draft: Draft, worker: Worker): void {
  const { fleet } = draft
  const limitBytes = fleet.settings.workers.memoryLimitBytes
  if (worker.memoryBytes === null || worker.life.kind !== 'ready') return
  const above = worker.memoryBytes > limitBytes ? worker.ticksAboveMemoryLimit + 1 : 0
  if (above !== worker.ticksAboveMemoryLimit) patchWorker(draft, worker.id, { ticksAboveMemoryLimit: above })
  if (above < TICKS_ABOVE_MEMORY_LIMIT || isReplacing(fleet) || !mayReplace(draft, worker)) return
  const sinceLastMs = fleet.recycledAtMs === null ? Number.POSITIVE_INFINITY : fleet.nowMs - fleet.recycledAtMs
  if (!mayRecycle(fleet.nowMs - worker.life.readyAtMs, sinceLastMs)) return
  fleet.recycledAtMs = fleet.nowMs
  draft.notes.push({ kind: 'worker:memory', workerId: worker.id, memoryBytes: worker.memoryBytes, limitBytes })
  replaceWorker(draft, worker, fleet.generation)
}

function probe(draft: Draft, worker: Worker): void {
  const { path, intervalMs, timeoutMs } = draft.fleet.settings.health
  if (path === null || draft.fleet.nowMs - worker.probedAtMs < intervalMs) return
  patchWorker(draft, worker.id, { probedAtMs: draft.fleet.nowMs })
  draft.commands.push({ kind: 'probe', workerId: worker.id, path, timeoutMs })
}

/** An ill worker is replaced, start before stop, and one at a time. */
export function onProbed(draft: Draft, workerId: number, healthy: boolean, detail: string): void {
  const worker = findWorker(draft, workerId)
  if (!worker || !isReady(worker)) return
  const failedProbes = healthy ? 0 : worker.failedProbes + 1
  patchWorker(draft, workerId, { failedProbes })
  const { unhealthyThreshold } = draft.fleet.settings.health
  if (failedProbes < unhealthyThreshold) return
  if (failedProbes === unhealthyThreshold) draft.notes.push({ kind: 'worker:unhealthy', workerId, detail })
  if (isReplacing(draft.fleet) || !mayReplace(draft, worker) || allAreIll(draft)) return
  replaceWorker(draft, worker, draft.fleet.generation)
}

/** What fails for every one of several workers is a dependency, and new workers would meet it too. */
function allAreIll({ fleet }: Draft): boolean {
  const ready = fleet.workers.filter(isReady)
  return ready.length > 1 && ready.every((worker) => worker.failedProbes > 0)
}
