import { noLease } from '../policy/lease.ts'
import { type Draft, live, patchWorker } from './draft.ts'
import type { Worker } from './fleet.ts'
import type { Role } from './slot.ts'
import { firstKill } from './undead.ts'

/** The four things a fleet does to workers. Each moves the life, asks the edge, and tells. */

export function forkWorker(draft: Draft, options: { slot: number; generation: number; role: Role; replaces?: number }): number {
  const { fleet } = draft
  const id = fleet.nextWorkerId
  fleet.nextWorkerId = id + 1
  const { slot, generation, role } = options
  const worker: Worker = {
    id,
    slot,
    generation,
    life: { kind: 'vacant' },
    pid: null,
    forkedAtMs: fleet.nowMs,
    replaces: options.replaces ?? null,
    leaving: null,
    cpu: null,
    memoryBytes: null,
    report: null,
    reportAtMs: null,
    silentMs: 0,
    stuckAtMs: null,
    drainWanted: false,
    kills: null,
    ticksAboveMemoryLimit: 0,
    probedAtMs: fleet.nowMs,
    failedProbes: 0,
    lease: noLease,
  }
  fleet.workers = [...fleet.workers, worker]
  live(draft, worker, { kind: 'fork', role, deadlineMs: fleet.nowMs + fleet.settings.workers.bootTimeoutMs })
  draft.commands.push({ kind: 'fork', workerId: id, slot, generation, role })
  draft.notes.push({ kind: 'worker:forked', workerId: id, slot, generation, role })
  return id
}

export function promoteWorker(draft: Draft, worker: Worker): void {
  if (!live(draft, worker, { kind: 'promote', nowMs: draft.fleet.nowMs })) return
  patchWorker(draft, worker.id, { silentMs: 0 })
  draft.commands.push({ kind: 'promote', workerId: worker.id })
  draft.notes.push({ kind: 'worker:promoted', workerId: worker.id, slot: worker.slot })
}

/** What never served has nothing to finish: it gets this long to leave by itself. */
const UNBORN_DRAIN_MS = 5000

export function drainWorker(draft: Draft, worker: Worker, reason: string, longestMs: number = draft.fleet.settings.drain.timeoutMs): void {
  const { kind } = worker.life
  const timeoutMs = kind === 'booting' || kind === 'spare' ? Math.min(longestMs, UNBORN_DRAIN_MS) : longestMs
  const deadlineMs = draft.fleet.nowMs + timeoutMs
  // A drain under way is only ever hurried.
  if (worker.life.kind === 'draining' && worker.life.deadlineMs <= deadlineMs) return loseDrainPatience(draft, worker.id, worker.life.deadlineMs)
  if (!live(draft, worker, { kind: 'drain', deadlineMs })) return
  patchWorker(draft, worker.id, { leaving: reason })
  draft.commands.push({ kind: 'drain', workerId: worker.id, timeoutMs, patient: draft.fleet.stopping === null })
  draft.notes.push({ kind: 'worker:draining', workerId: worker.id, slot: worker.slot, reason })
}

/** It keeps its deadline, but when the whole fleet stops nobody shall wait for connections on which nothing happens. */
function loseDrainPatience(draft: Draft, workerId: number, deadlineMs: number): void {
  const { stopping, nowMs } = draft.fleet
  if (stopping) draft.commands.push({ kind: 'drain', workerId, timeoutMs: Math.max(0, deadlineMs - nowMs), patient: false })
}

export function killWorker(draft: Draft, worker: Worker, reason: string, failed: boolean): void {
  if (!live(draft, worker, { kind: 'kill', failed })) return
  patchWorker(draft, worker.id, { leaving: reason, kills: firstKill(draft.fleet.nowMs) })
  draft.commands.push({ kind: 'kill', workerId: worker.id })
  draft.notes.push({ kind: 'worker:killed', workerId: worker.id, reason })
}
