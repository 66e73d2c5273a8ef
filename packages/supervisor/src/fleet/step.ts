import { balanceConnections } from './balancing.ts'
import { isReady } from './census.ts'
import type { Command } from './command.ts'
import { type Draft, findWorker, live, openDraft, patchWorker } from './draft.ts'
import type { FleetEvent } from './event.ts'
import { onExited, onForkFailed } from './exits.ts'
import type { Fleet } from './fleet.ts'
import { onLeaseUsed, repeatLeases, sayLease, sayLeasesAgain, shareConnections } from './leases.ts'
import { onLoanEnded, onLoanHeard } from './loan.ts'
import type { Note } from './note.ts'
import { onBackendsSeen, watchServer } from './quarantine.ts'
import { reconcile } from './reconcile.ts'
import { advanceReplacements, settleAtMs } from './reload.ts'
import { onBudgetRequested, onDrainRequested, onReloadRequested, onScaleRequested } from './requests.ts'
import { addressOf, publishRoutes } from './routes.ts'
import { onSampled } from './scaling.ts'
import { failStop, finishStop, requestStop } from './shutdown.ts'
import { pressAtMs, pressKills } from './undead.ts'
import { enforceDeadlines, examine, onDiagnosed, onProbed } from './vitality.ts'

/** Enough for a median that one slow boot does not move. */
const BOOTS_KEPT = 5

export interface Step {
  readonly fleet: Fleet
  readonly commands: readonly Command[]
  readonly notes: readonly Note[]
}

/**
 * The whole behaviour of a fleet: an event goes in, the next fleet and the commands for the edge come out. It reads no clock,
 * waits for nothing and touches nothing, so production, the simulator and a replay run this very code.
 *
 * @example
 * let { fleet, commands } = step(initialFleet(settings), { kind: 'started', nowMs: 0 })
 */
export function step(fleet: Fleet, event: FleetEvent): Step {
  const draft = openDraft(fleet, event.nowMs)
  take(draft, event)
  enforceDeadlines(draft)
  pressKills(draft)
  advanceReplacements(draft)
  reconcile(draft)
  if (event.kind === 'sampled') balanceConnections(draft)
  shareConnections(draft)
  finishStop(draft)
  publishRoutes(draft, fleet, event.kind === 'hello' ? event.workerId : null)
  return draft
}

function take(draft: Draft, event: FleetEvent): void {
  switch (event.kind) {
    case 'started':
      draft.fleet.startedAtMs = event.nowMs
      return
    case 'forked':
      return patchWorker(draft, event.workerId, { pid: event.pid })
    case 'readied':
      return onReadied(draft, event.workerId)
    case 'drained':
      draft.notes.push({ kind: 'worker:drained', workerId: event.workerId, cutConnections: event.cutConnections, cutRequests: event.cutRequests })
      return
    case 'exited':
      return onExited(draft, event)
    case 'forkFailed':
      return onForkFailed(draft, event.workerId, event.message)
    case 'diagnosed':
      return onDiagnosed(draft, event.workerId, event.reportPath)
    case 'probed':
      return onProbed(draft, event.workerId, event.healthy, event.detail)
    case 'sampled':
      onSampled(draft, event)
      repeatLeases(draft)
      if (draft.fleet.settings.database) watchServer(draft)
      return examine(draft)
    case 'leaseUsed':
      return onLeaseUsed(draft, event.workerId, event)
    case 'backendsSeen':
      return onBackendsSeen(draft, event)
    case 'peersHeard':
      draft.fleet.peers = { ownId: event.ownId, others: event.others }
      if (event.others !== null) draft.fleet.peerAddresses = event.others.flatMap(addressOf)
      return
    case 'loanHeard':
      onLoanHeard(draft, event)
      return sayLeasesAgain(draft)
    case 'loanEnded':
      return onLoanEnded(draft)
    case 'budgetRequested':
      return onBudgetRequested(draft, event.requestId, event.budget)
    case 'scaleRequested':
      return onScaleRequested(draft, event.requestId, event.workers)
    case 'reloadRequested':
      return onReloadRequested(draft, event.requestId)
    case 'drainRequested':
      return onDrainRequested(draft, event.requestId, event.workerId)
    case 'stopRequested':
      return requestStop(draft, event.reason)
    case 'fatal':
      return failStop(draft, event.message, 'the app cannot run here')
    case 'hello':
      return sayLease(draft, event.workerId)
    case 'woken':
      return
  }
}

function onReadied(draft: Draft, workerId: number): void {
  const worker = findWorker(draft, workerId)
  if (!worker || !live(draft, worker, { kind: 'ready', nowMs: draft.fleet.nowMs })) return
  patchWorker(draft, workerId, { silentMs: 0 })
  const spare = worker.life.kind === 'booting' && worker.life.role === 'spare'
  const bootMs = Math.round(draft.fleet.nowMs - worker.forkedAtMs)
  draft.fleet.bootsMs = [...draft.fleet.bootsMs, bootMs].slice(-BOOTS_KEPT)
  draft.notes.push({ kind: 'worker:ready', workerId, slot: worker.slot, generation: worker.generation, bootMs, spare })
}

/** When the fleet wants to be woken though nothing happens: the next deadline, or null. */
export function wakeAtMs(fleet: Fleet): number | null {
  let wakeMs = Number.POSITIVE_INFINITY
  for (const worker of fleet.workers) {
    const { life, replaces } = worker
    if (life.kind === 'booting' || life.kind === 'draining') wakeMs = Math.min(wakeMs, life.deadlineMs)
    wakeMs = Math.min(wakeMs, pressAtMs(fleet, worker) ?? wakeMs)
    if (replaces !== null && isReady(worker)) wakeMs = Math.min(wakeMs, settleAtMs({ fleet }, worker))
  }
  const { nowMs, spareRespawn, backingOff } = fleet
  if (spareRespawn.notBeforeMs > nowMs) wakeMs = Math.min(wakeMs, spareRespawn.notBeforeMs)
  for (const { untilMs } of backingOff) if (untilMs > nowMs) wakeMs = Math.min(wakeMs, untilMs)
  return wakeMs === Number.POSITIVE_INFINITY ? null : wakeMs
}
