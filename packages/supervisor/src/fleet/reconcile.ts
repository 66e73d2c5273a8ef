import { chooseRetirees } from '../policy/retire.ts'
import { countReady, freeSlot, heads, isReady, isServing, isSpare } from './census.ts'
import type { Draft } from './draft.ts'
import type { Worker } from './fleet.ts'
import { drainWorker, forkWorker, promoteWorker } from './lifecycle.ts'

/** Forks that may be under way at once: more would only make each of them, and the serving workers, slower. */
const SMALLEST_PARALLEL_BOOTS = 2

/**
 * Brings what is there closer to what should be there. It looks at levels, not at what just happened, so after any
 * event, in any order, the fleet heals the same way.
 */
export function reconcile(draft: Draft): void {
  if (draft.fleet.phase === 'draining' || draft.fleet.phase === 'stopped') return
  const missing = draft.fleet.target - heads(draft.fleet).length
  if (missing > 0) fill(draft, missing)
  if (missing < 0) retire(draft, -missing)
  keepSpares(draft)
  if (draft.fleet.phase === 'starting' && countReady(draft.fleet) >= draft.fleet.settings.workers.min) {
    draft.fleet.phase = 'running'
    draft.notes.push({ kind: 'fleet:running', ready: countReady(draft.fleet) })
  }
  settleScale(draft)
}

/** A spare serves in one message; a spare that still boots will be ready sooner than a new fork. */
function fill(draft: Draft, missing: number): void {
  const spares = draft.fleet.workers.filter(isSpare).sort((a, b) => Number(b.life.kind === 'spare') - Number(a.life.kind === 'spare'))
  for (const spare of spares.slice(0, missing)) promoteWorker(draft, spare)
  for (let left = missing - spares.length; left > 0 && mayFork(draft); left--) {
    forkWorker(draft, { slot: freeSlot(draft.fleet), generation: draft.fleet.generation, role: 'worker' })
  }
}

/** Backing off after a crash, or enough boots under way: the rest waits for the next event. */
export function mayFork(draft: Draft): boolean {
  const { fleet } = draft
  const booting = fleet.workers.filter((worker) => worker.life.kind === 'booting').length
  const parallelBoots = Math.max(SMALLEST_PARALLEL_BOOTS, Math.ceil(fleet.settings.capacity.cpus))
  return fleet.nowMs >= fleet.respawn.notBeforeMs && booting < parallelBoots
}

function retire(draft: Draft, surplus: number): void {
  const serving = heads(draft.fleet)
  const booting = serving.filter((worker) => !isReady(worker)).sort((a, b) => b.slot - a.slot)
  const unborn = booting.slice(0, surplus)
  for (const worker of unborn) drainWorker(draft, worker, 'scaled in before it was ready')
  const ready = serving.filter(isReady)
  for (const workerId of chooseRetirees(ready.map(toCandidate), surplus - unborn.length)) {
    drainWorker(draft, ready.find((worker) => worker.id === workerId) as Worker, 'scaled in')
    for (const worker of draft.fleet.workers) {
      if (worker.replaces === workerId && isServing(worker)) drainWorker(draft, worker, 'the worker it was to replace was scaled in')
    }
  }
}

function toCandidate(worker: Worker) {
  const report = worker.report
  return {
    workerId: worker.id,
    slot: worker.slot,
    sockets: report?.sockets ?? null,
    queue: report?.queue ?? null,
    connections: report?.connections ?? null,
  }
}

/** Spares wait in free slots; in a fleet that has all its slots filled there is nowhere left to grow. */
function keepSpares(draft: Draft): void {
  const { fleet } = draft
  const spares = fleet.workers.filter(isSpare)
  for (const spare of spares.slice(fleet.spareTarget)) drainWorker(draft, spare, 'no longer needed as a spare')
  if (fleet.phase !== 'running' || fleet.reload) return
  const room = fleet.settings.workers.max - Math.max(fleet.target, heads(fleet).length)
  for (let wanted = Math.min(fleet.spareTarget, room) - spares.length; wanted > 0 && mayFork(draft); wanted--) {
    forkWorker(draft, { slot: freeSlot(fleet), generation: fleet.generation, role: 'spare' })
  }
}

function settleScale(draft: Draft): void {
  const { fleet } = draft
  if (!fleet.pendingScale || heads(fleet).length !== fleet.target || countReady(fleet) < fleet.target) return
  const detail = `${fleet.target} ${fleet.target === 1 ? 'worker is' : 'workers are'} ready`
  draft.commands.push({ kind: 'answer', requestId: fleet.pendingScale.requestId, error: null, detail })
  fleet.pendingScale = null
}
