import { chooseRetirees } from '../policy/retire.ts'
import {
  countDyingBoots,
  countHeads,
  countReady,
  countSpares,
  freeSlot,
  heads,
  isReady,
  isReadySpare,
  isServing,
  isSpare,
  slotsBackingOff,
} from './census.ts'
import type { Draft } from './draft.ts'
import type { Worker } from './fleet.ts'
import { canFeedOneMore } from './leases.ts'
import { drainWorker, forkWorker, promoteWorker } from './lifecycle.ts'
import { factsOf } from './observe.ts'

/** Forks that may be under way at once: more would only make each of them, and the serving workers, slower. */
const SMALLEST_PARALLEL_BOOTS = 2

/**
 * Brings what is there closer to what should be there. It looks at levels, not at what just happened, so after any
 * event, in any order, the fleet heals the same way.
 */
export function reconcile(draft: Draft): void {
  const { fleet } = draft
  if (fleet.phase === 'draining' || fleet.phase === 'stopped') return
  if (fleet.backingOff.length > 0) fleet.backingOff = fleet.backingOff.filter(({ untilMs }) => untilMs > fleet.nowMs)
  serveAtAll(draft)
  const missing = fleet.target - countHeads(fleet)
  if (missing > 0) fill(draft, missing)
  if (missing < 0) retire(draft, -missing)
  keepSpares(draft)
  if (fleet.phase === 'starting' && countReady(fleet) >= Math.min(fleet.settings.workers.min, fleet.target)) {
    fleet.phase = 'running'
    draft.notes.push({ kind: 'fleet:running', ready: countReady(fleet) })
  }
  settleScale(draft)
}

/** While nobody is ready a spare steps in, even if others are about to be: their boot is an outage, its promotion is none. */
function serveAtAll(draft: Draft): void {
  const spare = draft.fleet.workers.find(isReadySpare)
  if (spare && countReady(draft.fleet) === 0) promoteWorker(draft, spare)
}

/** A spare serves in one message; a spare that still boots will be ready sooner than a new fork. */
function fill(draft: Draft, missing: number): void {
  const { fleet } = draft
  const spares = fleet.workers.filter(isSpare).sort((a, b) => Number(isReadySpare(b)) - Number(isReadySpare(a)))
  const promoted = spares.slice(0, missing)
  for (const spare of promoted) promoteWorker(draft, spare)
  // Whom a spare has stood in for is no longer missed.
  fleet.backingOff = fleet.backingOff.slice(promoted.length)
  const waiting = slotsBackingOff(fleet).length + countDyingBoots(fleet, 'worker')
  for (let left = missing - promoted.length - waiting; left > 0 && mayFork(draft) && canFeedOneMore(fleet); left--) {
    forkWorker(draft, { slot: freeSlot(fleet), generation: fleet.generation, role: 'worker' })
  }
}

/** False while enough boots are under way: the rest waits for the next event. */
export function mayFork({ fleet }: Draft): boolean {
  let booting = 0
  for (const { life } of fleet.workers) if (life.kind === 'booting') booting++
  return booting < Math.max(SMALLEST_PARALLEL_BOOTS, Math.ceil(fleet.settings.capacity.cpus))
}

function retire(draft: Draft, surplus: number): void {
  const serving = heads(draft.fleet)
  const booting = serving.filter((worker) => !isReady(worker)).sort((a, b) => b.slot - a.slot)
  const unborn = booting.slice(0, surplus)
  for (const worker of unborn) drainWorker(draft, worker, 'scaled in before it was ready')
  const ready = serving.filter(isReady)
  const candidates = ready.map((worker) => toCandidate(draft, worker))
  for (const workerId of chooseRetirees(candidates, surplus - unborn.length)) {
    drainWorker(draft, ready.find((worker) => worker.id === workerId) as Worker, 'scaled in')
    for (const worker of draft.fleet.workers) {
      if (worker.replaces === workerId && isServing(worker)) drainWorker(draft, worker, 'the worker it was to replace was scaled in')
    }
  }
}

function toCandidate(draft: Draft, worker: Worker) {
  const { report } = factsOf(draft.fleet, worker)
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
  const spares = countSpares(fleet)
  if (spares > fleet.spareTarget)
    for (const spare of fleet.workers.filter(isSpare).slice(fleet.spareTarget)) drainWorker(draft, spare, 'no longer needed as a spare')
  if (spares >= fleet.spareTarget || fleet.phase !== 'running' || fleet.reload || fleet.nowMs < fleet.spareRespawn.notBeforeMs) return
  const room = fleet.settings.workers.max - Math.max(fleet.target, countHeads(fleet))
  const there = spares + countDyingBoots(fleet, 'spare')
  for (let wanted = Math.min(fleet.spareTarget, room) - there; wanted > 0 && mayFork(draft) && canFeedOneMore(fleet); wanted--) {
    forkWorker(draft, { slot: freeSlot(fleet), generation: fleet.generation, role: 'spare' })
  }
}

function settleScale(draft: Draft): void {
  const { fleet } = draft
  const { pendingScale: pending, target } = fleet
  if (!pending || countHeads(fleet) !== target || countReady(fleet) < target) return
  const detail = `${target} ${target === 1 ? 'worker is' : 'workers are'} ready${pending.warning === null ? '' : `; ${pending.warning}`}`
  draft.commands.push({ kind: 'answer', requestId: pending.requestId, error: null, detail })
  fleet.pendingScale = null
}
