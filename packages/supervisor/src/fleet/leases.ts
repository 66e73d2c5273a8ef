import { type BudgetInput, type Claim, feedsOneMore, mostWorkers, nextWords } from '../policy/budget.ts'
import { type LeaseUse, grant, hear, isPending } from '../policy/lease.ts'
import { isLeaving, isSpare, isStuck } from './census.ts'
import { type Draft, findWorker, patchWorker } from './draft.ts'
import type { BackendsSeen } from './event.ts'
import type { Fleet, Quarantine, Worker } from './fleet.ts'

/**
 * Who may hold how many database connections. A connection belongs to somebody until it is proven closed: to a worker as long as it has
 * not confirmed that it gave it back, and then, if it died, to nobody until the server itself no longer counts it.
 */

/** A connection that a dying process had just begun may need this long until the server shows it. */
const SETTLE_MS = 500

/** Confirms, and tells what it needs. */
export function onLeaseUsed(draft: Draft, workerId: number, use: LeaseUse): void {
  const worker = findWorker(draft, workerId)
  if (worker && draft.fleet.settings.database) patchWorker(draft, workerId, { lease: hear(worker.lease, use) })
}

/** The process is gone, its connections maybe not. */
export function quarantine(draft: Draft, worker: Worker): void {
  const { held } = worker.lease
  if (held === 0) return
  draft.fleet.quarantine = [...draft.fleet.quarantine, { workerId: worker.id, connections: held, sinceMs: draft.fleet.nowMs }]
  if (draft.fleet.quarantine.length === 1) askForBackends(draft)
}

/** What the server still shows of the dead. They can open nothing more, so what is gone once is gone. */
export function onBackendsSeen(draft: Draft, { askedAtMs, backends, starting }: BackendsSeen): void {
  const { fleet } = draft
  const seen = new Map(backends.map(({ workerId, connections }) => [workerId, connections]))
  const left = fleet.quarantine.map((entry): Quarantine => {
    if (askedAtMs < entry.sinceMs + SETTLE_MS) return entry
    // One that has no name yet may be anybody's.
    return { ...entry, connections: Math.min(entry.connections, (seen.get(entry.workerId) ?? 0) + starting) }
  })
  fleet.quarantine = left.filter(({ connections }) => connections > 0)
  if (fleet.quarantine.length > 0) askForBackends(draft)
}

function askForBackends(draft: Draft): void {
  draft.commands.push({ kind: 'askBackends', workerIds: draft.fleet.quarantine.map(({ workerId }) => workerId) })
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
  for (const worker of draft.fleet.workers) if (isPending(worker.lease)) sayLease(draft, worker.id)
}

export function sayLease(draft: Draft, workerId: number): void {
  const worker = findWorker(draft, workerId)
  if (worker && worker.lease.sequence > 0) {
    const { sequence, granted } = worker.lease
    draft.commands.push({ kind: 'lease', workerId, sequence, granted })
  }
}

/** True while one more worker would find its floor; the rest waits for the next event. */
export function canFeedOneMore(fleet: Fleet): boolean {
  const input = budgetOf(fleet)
  return input === null || feedsOneMore(input)
}

/** How many workers the budget feeds, and the sentence part that says why; null where there is no budget. */
export function databaseCeiling({ settings }: Pick<Fleet, 'settings'>): { readonly workers: number; readonly because: string } | null {
  const { database } = settings
  if (database === null) return null
  const workers = mostWorkers(database.available, database.floor)
  return { workers, because: `${database.available} connections feed ${workers} workers with ${database.floor} each, and a successor in a reload` }
}

function budgetOf(fleet: Fleet): BudgetInput | null {
  const { database } = fleet.settings
  if (database === null) return null
  const quarantined = fleet.quarantine.reduce((sum, { connections }) => sum + connections, 0)
  return { ...database, quarantined, claims: fleet.workers.map(claimOf) }
}

function claimOf(worker: Worker): Claim {
  return { workerId: worker.id, kind: kindOf(worker), lease: worker.lease }
}

function kindOf(worker: Worker): Claim['kind'] {
  if (worker.life.kind === 'killing' || isStuck(worker)) return 'silent'
  if (isLeaving(worker)) return 'leaving'
  return isSpare(worker) ? 'waiting' : 'serving'
}
