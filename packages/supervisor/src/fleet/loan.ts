import { excessOf } from '../policy/budget-plan.ts'
import type { Loan } from '../policy/loan.ts'
import type { Peers, ReplicaTotals } from '../policy/replicas.ts'
import type { Part } from '../policy/share.ts'
import type { Draft } from './draft.ts'
import type { LoanHeard } from './event.ts'
import type { Fleet } from './fleet.ts'
import type { Status } from './status.ts'

/** What this replica says at its next beat. */
export interface Word {
  readonly part: Part | null
  readonly totals: ReplicaTotals | null
}

export function wordOf(fleet: Fleet): Word {
  return { part: partOf(fleet), totals: fleet.totals }
}

export function onLoanHeard(draft: Draft, { granted, untilMs }: LoanHeard): void {
  const { settings, loan } = draft.fleet
  const isLapsed = loan.isLapsed && heldBy(draft.fleet) > availableOf({ settings, loan: { granted } })
  draft.fleet.loan = { granted, untilMs, isLapsed }
}

/** What was lent goes back, whether it could be said to the others or not. */
export function onLoanEnded(draft: Draft): void {
  draft.fleet.loan = { granted: 0, untilMs: null, isLapsed: true }
}

/** What the workers of this replica may have together, now, as far as connections of strangers leave it. */
export function availableOf({ settings, loan }: Pick<Fleet, 'settings'> & { readonly loan: Pick<Loan, 'granted'> }): number {
  return (settings.database?.available ?? 0) + loan.granted
}

/** The most that workers, alive or not, may have open. */
function heldBy({ workers, quarantine }: Pick<Fleet, 'workers' | 'quarantine'>): number {
  const alive = workers.reduce((sum, { lease }) => sum + lease.held, 0)
  return quarantine.reduce((sum, { connections }) => sum + connections, alive)
}

/**
 * Until when the word to a worker holds. What is within the floor holds for ever. Beyond it nobody may open anything once the time is over, not
 * even where this process is stopped and cannot say so: the others take it then. So a new loan does not bring back what was said under one that
 * ended, unless it covers all of it.
 */
export function leaseUntilMs(fleet: Fleet): number | null {
  const { database } = fleet.settings
  if (!database?.isShared || heldBy(fleet) <= database.available) return null
  if (fleet.loan.isLapsed && heldBy(fleet) > availableOf(fleet)) return 0
  return fleet.loan.untilMs ?? 0
}

/** Pools of another make connect under names of their own; they are in the lease already. */
export function foreignOf({ server, workers }: Pick<Fleet, 'server' | 'workers'>): number {
  return Math.max(0, server.foreign - workers.reduce((sum, { lease }) => sum + lease.external, 0))
}

export function coordinationOf(peers: Peers | null): Pick<Status['replica'], 'peers' | 'coordination'> {
  if (peers === null) return { peers: 1, coordination: 'alone' }
  return peers.others === null ? { peers: 1, coordination: 'redis-lost' } : { peers: peers.others.length + 1, coordination: 'redis' }
}

function partOf(fleet: Fleet): Part | null {
  const { settings, workers, loan, target } = fleet
  if (!settings.database?.isShared) return null
  const { available: floor, cluster, options } = settings.database
  const demand = workers.reduce((sum, { lease }) => sum + Math.max(lease.inUse + lease.waiting, options.minPerWorker), 0)
  const forNewcomers = (Math.max(0, target - workers.length) + 1) * options.minPerWorker
  return {
    available: Math.max(0, cluster - excessOf(settings.database, foreignOf(fleet))),
    floor,
    replicas: options.replicas,
    wants: Math.max(0, demand + forNewcomers - floor),
    granted: loan.granted,
    held: heldBy(fleet) - floor,
  }
}
