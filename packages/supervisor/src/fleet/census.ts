import type { Fleet, Worker } from './fleet.ts'

/** Questions about who is there. Read-only. */

export const isReady = (worker: Worker): boolean => worker.life.kind === 'ready'
export const isSpare = (worker: Worker): boolean => worker.life.kind === 'spare' || (worker.life.kind === 'booting' && worker.life.role === 'spare')
export const isBootingWorker = (worker: Worker): boolean => worker.life.kind === 'booting' && worker.life.role === 'worker'
export const isLeaving = (worker: Worker): boolean => worker.life.kind === 'draining' || worker.life.kind === 'killing'
/** It serves, or will. */
export const isServing = (worker: Worker): boolean => isReady(worker) || isBootingWorker(worker)

export function countReady(fleet: Fleet): number {
  return fleet.workers.filter(isReady).length
}

/** A successor counts together with the worker it replaces, as one: only when that one leaves does it count alone. */
export function heads(fleet: Fleet): Worker[] {
  return fleet.workers.filter((worker) => isServing(worker) && !isSuccessor(fleet, worker))
}

export function isSuccessor(fleet: Fleet, worker: Worker): boolean {
  return worker.replaces !== null && fleet.workers.some((other) => other.id === worker.replaces && isServing(other))
}

/** Workers on their way to serve that add to the fleet's size: capacity that is bought but not yet delivered. */
export function warming(fleet: Fleet): number {
  return heads(fleet).filter(isBootingWorker).length
}

export function successorOf(fleet: Fleet, workerId: number): Worker | null {
  return fleet.workers.find((worker) => worker.replaces === workerId && isServing(worker)) ?? null
}

/** The lowest slot that no serving or spare worker has. */
export function freeSlot(fleet: Fleet): number {
  const taken = new Set(fleet.workers.filter((worker) => !isLeaving(worker)).map((worker) => worker.slot))
  let slot = 0
  while (taken.has(slot)) slot++
  return slot
}
