import { StationmasterError } from '../errors.ts'
import type { Draft } from './draft.ts'
import type { Stopping } from './fleet.ts'
import { drainWorker, killWorker } from './lifecycle.ts'

/** A group signal and its forwarded copy arrive together: they are one request. */
const SAME_REQUEST_MS = 1000
/** What is left to the workers after a second request. */
const HURRIED_MS = 2000

/** Stop wins in every state. The first request drains, a second one hurries, a third one ends it now. */
export function requestStop(draft: Draft, reason: string): void {
  const { timeoutMs, stopDeadlineMs } = draft.fleet.settings.drain
  const allowedMs = Math.min(timeoutMs, stopDeadlineMs ?? Number.POSITIVE_INFINITY)
  if (draft.fleet.stopping) hurry(draft, draft.fleet.stopping, reason, allowedMs)
  else beginStop(draft, { code: 0, message: null, requests: 1 }, reason, allowedMs)
}

/** The app cannot go on: drain what still serves, then end with the cause. */
export function failStop(draft: Draft, message: string, reason: string): void {
  if (!draft.fleet.stopping) beginStop(draft, { code: 1, message, requests: 0 }, reason, draft.fleet.settings.drain.timeoutMs)
}

function beginStop(draft: Draft, end: Omit<Stopping, 'requestedAtMs'>, reason: string, allowedMs: number): void {
  const { fleet } = draft
  fleet.phase = 'draining'
  fleet.stopping = { ...end, requestedAtMs: fleet.nowMs }
  draft.notes.push({ kind: 'fleet:stopping', reason, timeoutMs: allowedMs })
  refuseRequests(draft)
  drainAll(draft, reason, allowedMs)
}

function hurry(draft: Draft, stopping: Stopping, reason: string, allowedMs: number): void {
  const { fleet } = draft
  if (fleet.phase === 'stopped' || (stopping.requests > 0 && fleet.nowMs - stopping.requestedAtMs < SAME_REQUEST_MS)) return
  const requests = stopping.requests + 1
  fleet.stopping = { ...stopping, requests, requestedAtMs: fleet.nowMs }
  // A stop that began by itself is asked for the first time: the platform's deadline counts from here.
  const timeoutMs = requests === 1 ? allowedMs : requests === 2 ? HURRIED_MS : 0
  draft.notes.push({ kind: 'fleet:stopping', reason: requests === 1 ? reason : 'asked again', timeoutMs })
  if (requests <= 2) drainAll(draft, requests === 1 ? reason : 'hurried', timeoutMs)
  else for (const worker of fleet.workers) killWorker(draft, worker, 'the supervisor was told to end now', false)
}

function drainAll(draft: Draft, reason: string, timeoutMs: number): void {
  for (const worker of draft.fleet.workers) drainWorker(draft, worker, reason, timeoutMs)
}

function refuseRequests(draft: Draft): void {
  const { fleet } = draft
  for (const pending of [fleet.reload, fleet.pendingScale]) {
    if (!pending) continue
    const error = new StationmasterError('SM_STOPPING', 'environment', 'The supervisor is stopping; ask again when it runs.')
    draft.commands.push({ kind: 'answer', requestId: pending.requestId, error, detail: '' })
  }
  fleet.reload = null
  fleet.pendingScale = null
}

/** The last worker is gone: the supervisor may go too. */
export function finishStop(draft: Draft): void {
  const { fleet } = draft
  if (fleet.phase !== 'draining' || !fleet.stopping || fleet.workers.length > 0) return
  fleet.phase = 'stopped'
  const { code, message } = fleet.stopping
  draft.notes.push({ kind: 'fleet:stopped', code, message })
  draft.commands.push({ kind: 'exit', code, message })
}
