import type { Fleet, Worker } from './fleet.ts'
import type { Role } from './slot.ts'

/** Questions about who is there. Read-only. */

/** Its event loop stands still. It is being diagnosed and then goes; until then it holds its place for nobody. */
export const isStuck = (worker: Worker): boolean => worker.stuckAtMs !== null && !isEnding(worker)
const isEnding = (worker: Worker): boolean => worker.life.kind === 'draining' || worker.life.kind === 'killing'

export const isReady = (worker: Worker): boolean => worker.life.kind === 'ready' && worker.stuckAtMs === null
export const isReadySpare = (worker: Worker): boolean => worker.life.kind === 'spare' && worker.stuckAtMs === null
export const isSpare = (worker: Worker): boolean => isReadySpare(worker) || (worker.life.kind === 'booting' && worker.life.role === 'spare')
const isBootingWorker = (worker: Worker): boolean => worker.life.kind === 'booting' && worker.life.role === 'worker'
export const isLeaving = (worker: Worker): boolean => isEnding(worker) || isStuck(worker)
/** It serves, or will. */
export const isServing = (worker: Worker): boolean => isReady(worker) || isBootingWorker(worker)

function count({ workers }: Fleet, counts: (worker: Worker) => boolean): number {
  let sum = 0
  for (const worker of workers) if (counts(worker)) sum++
  return sum
}

export function countReady(fleet: Fleet): number {
  return count(fleet, isReady)
}

export function countSpares(fleet: Fleet): number {
  return count(fleet, isSpare)
}

/** A successor counts together with the worker it replaces, as one: only when that one leaves does it count alone. */
export function heads(fleet: Fleet): Worker[] {
  return fleet.workers.filter((worker) => isHead(fleet, worker))
}

export function countHeads(fleet: Fleet): number {
  return count(fleet, (worker) => isHead(fleet, worker))
}

const isHead = (fleet: Fleet, worker: Worker): boolean => isServing(worker) && !isSuccessor(fleet, worker)

export function isSuccessor(fleet: Fleet, worker: Worker): boolean {
  return worker.replaces !== null && fleet.workers.some((other) => other.id === worker.replaces && isServing(other))
}

/** Workers on their way to serve that add to the fleet's size: capacity that is bought but not yet delivered. */
export function warming(fleet: Fleet): number {
  return count(fleet, (worker) => isBootingWorker(worker) && isHead(fleet, worker))
}

export function successorOf(fleet: Fleet, workerId: number): Worker | null {
  return fleet.workers.find((worker) => worker.replaces === workerId && isServing(worker)) ?? null
}

/** One worker at a time is replaced by a successor, so that a bad cause meets one and not all of them. */
export function isReplacing(fleet: Fleet): boolean {
  return fleet.workers.some((worker) => worker.replaces !== null)
}

/** Boots that timed out and are not gone yet. Their places stay theirs until then: how they end decides what comes after. */
export function countDyingBoots(fleet: Fleet, role: Role): number {
  return count(fleet, ({ life }) => life.kind === 'killing' && life.failed && !life.booted && life.role === role)
}

/** Slots where a failed worker is missed and whose next fork has to wait. */
export function slotsBackingOff(fleet: Fleet): number[] {
  const taken = takenSlots(fleet)
  return fleet.backingOff.filter(({ slot, untilMs }) => untilMs > fleet.nowMs && !taken.has(slot)).map(({ slot }) => slot)
}

/** The lowest slot that no serving or spare worker has; one that backs off only where there is no other. */
export function freeSlot(fleet: Fleet): number {
  const taken = takenSlots(fleet)
  const backingOff = new Set(slotsBackingOff(fleet))
  const free = Array.from({ length: fleet.settings.workers.max }, (_, slot) => slot).filter((slot) => !taken.has(slot))
  return free.find((slot) => !backingOff.has(slot)) ?? free[0] ?? fleet.settings.workers.max
}

const takenSlots = (fleet: Fleet): Set<number> => new Set(fleet.workers.filter((worker) => !isLeaving(worker)).map((worker) => worker.slot))
