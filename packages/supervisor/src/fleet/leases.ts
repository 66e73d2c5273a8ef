import { availableBeside, excessOf } from '../policy/budget-plan.ts'
import { type BudgetInput, type Claim, feedsOneMore, mostWorkers, nextWords } from '../policy/budget.ts'
import type { Ceiling } from '../policy/capacity.ts'
import { type LeaseUse, grant, hear, isPending } from '../policy/lease.ts'
import { isLeaving, isSpare, isStuck } from './census.ts'
import { type Draft, findWorker, patchWorker } from './draft.ts'
import type { Fleet, Worker } from './fleet.ts'
import { availableOf, foreignOf, leaseUntilMs } from './loan.ts'

/**
 * Who may hold how many database connections. A connection belongs to somebody until it is proven closed: to a worker as long as it has
 * not confirmed that it gave it back, and then, if it died, to nobody until the server itself no longer counts it.
 */

/** Confirms, and tells what it needs. */
export function onLeaseUsed(draft: Draft, workerId: number, use: LeaseUse): void {
  const worker = findWorker(draft, workerId)
  if (worker && draft.fleet.settings.database) patchWorker(draft, workerId, { lease: hear(worker.lease, use) })
}

/** Says to each worker what has changed for it. */
export function shareConnections(draft: Draft): void {
  const input = budgetOf(draft.fleet)
  if (input === null || draft.fleet.phase === 'stopped') return
  for (const { workerId, granted } of nextWords(input)) {
    const worker = findWorker(draft, workerId)
    if (!worker) continue
    patchWorker(draft, workerId, { lease: grant(worker.lease, granted) })
    sayLease(draft, workerId)
  }
}

/** Once a tick: what was not confirmed may not have been heard. */
export function repeatLeases(draft: Draft): void {
  const isTimed = draft.fleet.settings.database?.isShared ?? false
  for (const worker of draft.fleet.workers) if (isTimed || isPending(worker.lease)) sayLease(draft, worker.id)
}

/** What was said holds longer now. */
export function sayLeasesAgain(draft: Draft): void {
  for (const worker of draft.fleet.workers) sayLease(draft, worker.id)
}

export function sayLease(draft: Draft, workerId: number): void {
  const worker = findWorker(draft, workerId)
  if (worker && worker.lease.sequence > 0) {
    const { sequence, granted } = worker.lease
    draft.commands.push({ kind: 'lease', workerId, sequence, granted, untilMs: leaseUntilMs(draft.fleet) })
  }
}

/** True while one more worker would find its floor; the rest waits for the next event. Connections of others never keep the fleet from being. */
export function canFeedOneMore(fleet: Fleet): boolean {
  const input = budgetOf(fleet)
  return input === null || feedsOneMore({ ...input, available: availableOf(fleet) })
}

/** How many workers the budget feeds, and the sentence part that says why; null where there is no budget. */
export function databaseCeiling(fleet: Pick<Fleet, 'settings' | 'loan'>): Ceiling | null {
  const { database } = fleet.settings
  if (database === null) return null
  const available = availableOf(fleet)
  const workers = mostWorkers(available, database.floor)
  return { workers, because: () => `${available} connections feed ${workers} workers with ${database.floor} each, and a successor in a reload` }
}

export function budgetOf(fleet: Fleet): BudgetInput | null {
  const { database } = fleet.settings
  if (database === null) return null
  let quarantined = 0
  for (const { connections } of fleet.quarantine) quarantined += connections
  return {
    available: availableBeside(database, foreignOf(fleet)) + fleet.loan.granted,
    floor: database.floor,
    quarantined,
    claims: fleet.workers.map(claimOf),
  }
}

/** How many connections of others there are beyond those that the budget keeps free. */
export function foreignExcess(fleet: Fleet): number {
  return fleet.settings.database ? excessOf(fleet.settings.database, foreignOf(fleet)) : 0
}

function claimOf(worker: Worker): Claim {
  return { workerId: worker.id, kind: kindOf(worker), lease: worker.lease }
}

function kindOf(worker: Worker): Claim['kind'] {
  if (worker.life.kind === 'killing' || isStuck(worker)) return 'silent'
  if (isLeaving(worker)) return 'leaving'
  return isSpare(worker) ? 'waiting' : 'serving'
}
