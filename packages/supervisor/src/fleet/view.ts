import { explainBudget } from '../policy/explain-budget.ts'
import { merge, percentileMs } from '../policy/latency.ts'
import type { LeaseState } from '../policy/lease.ts'
import type { DatabaseUse } from '../policy/sample.ts'
import { countReady } from './census.ts'
import { customNames } from './custom-signals.ts'
import type { Fleet, Worker } from './fleet.ts'
import { budgetOf, foreignExcess } from './leases.ts'
import { coordinationOf, foreignOf } from './loan.ts'
import { factsOf, fleetSignals } from './observe.ts'
import { standingNeed } from './replicas.ts'
import type { DatabaseStatus, FleetStatus, Status, WorkerStatus } from './status.ts'

/** The parts of the status that the fleet knows; the edge adds its own. */
export type FleetView = Omit<Status, 'version' | 'pid' | 'replica'> & { readonly replica: Omit<Status['replica'], 'id'> }

export function viewOf(fleet: Fleet, nowMs: number): FleetView {
  return {
    state: fleet.phase,
    mode: fleet.settings.scaling.mode === 'shadow' ? 'shadow' : fleet.mode,
    uptimeS: seconds(nowMs - (fleet.startedAtMs ?? nowMs)),
    generation: fleet.generation,
    workers: fleet.workers.map((worker) => viewWorker(fleet, worker, nowMs)),
    fleet: viewFleet(fleet),
    capacity: fleet.settings.capacity,
    database: viewDatabase(fleet),
    replica: coordinationOf(fleet.peers),
    restarts: { total: fleet.restarts, lastExit: fleet.lastExit },
    replicas: standingNeed(fleet),
    lastDecision: fleet.decisions.at(-1) ?? null,
  }
}

function viewWorker(fleet: Fleet, worker: Worker, nowMs: number): WorkerStatus {
  const { cpu, memory, report } = factsOf(fleet, worker)
  return {
    id: worker.id,
    pid: worker.pid,
    slot: worker.slot,
    generation: worker.generation,
    // A worker never is vacant while it is listed.
    state: worker.life.kind as WorkerStatus['state'],
    uptimeS: seconds(nowMs - worker.forkedAtMs),
    cpu: rounded(cpu),
    memoryBytes: worker.memoryBytes,
    memory: rounded(memory),
    eventLoopUtilization: rounded(report?.eventLoopUtilization),
    eventLoopDelayP99Ms: rounded(report?.eventLoopDelayP99Ms),
    queue: report?.queue ?? null,
    requestsPerSecond: report ? rounded((report.requests * 1000) / Math.max(report.intervalMs, 1)) : null,
    p95Ms: report ? rounded(percentileMs(report.latencies, 0.95)) : null,
    connections: report?.connections ?? null,
    sockets: report?.sockets ?? null,
    database: fleet.settings.database && viewLease(worker.lease),
    signals: report?.signals ?? {},
  }
}

const viewLease = ({ granted, acknowledged, inUse, waiting }: LeaseState): DatabaseUse => ({ granted, acknowledged, inUse, waiting })

function viewDatabase(fleet: Fleet): DatabaseStatus | null {
  const { settings, workers } = fleet
  const input = budgetOf(fleet)
  if (settings.database === null || input === null) return null
  const { budget, share } = settings.database
  const sum = (of: (lease: LeaseState) => number): number => workers.reduce((total, { lease }) => total + of(lease), 0)
  return {
    budget,
    share: share + fleet.loan.granted,
    granted: sum(({ granted }) => granted),
    acknowledged: sum(({ acknowledged }) => acknowledged),
    inUse: sum(({ inUse }) => inUse),
    waiting: sum(({ waiting }) => waiting),
    quarantined: input.quarantined,
    foreign: foreignOf(fleet),
    why: explainBudget(input, { connections: foreignOf(fleet), excess: foreignExcess(fleet) }),
  }
}

function viewFleet(fleet: Fleet): FleetStatus {
  const signals = fleetSignals(fleet)
  const shown = (name: string) => rounded(signals[name]?.shown)
  const rates = fleet.workers.flatMap((worker) => {
    const { report } = factsOf(fleet, worker)
    return report ? [(report.requests * 1000) / Math.max(report.intervalMs, 1)] : []
  })
  return {
    min: fleet.settings.workers.min,
    max: fleet.settings.workers.max,
    target: fleet.target,
    ready: countReady(fleet),
    spares: fleet.workers.filter((worker) => worker.life.kind === 'spare').length,
    cpu: shown('cpu'),
    memory: shown('memory'),
    queue: shown('queue'),
    // The signal is 0 where nothing was asked, so that a quiet fleet can shrink; for people that would be a response time.
    p95Ms: rounded(percentileMs(merge(fleet.latencies), 0.95)),
    queueTimeP95Ms: rounded(percentileMs(merge(fleet.queueTimes), 0.95)),
    eventLoopUtilization: shown('eventLoopUtilization'),
    eventLoopDelayP99Ms: shown('eventLoopDelay'),
    requestsPerSecond: rates.length === 0 ? null : rounded(rates.reduce((sum, rate) => sum + rate, 0)),
    requestsTotal: fleet.requestsTotal,
    signals: Object.fromEntries(customNames(fleet.settings.scaling).map((name) => [name, shown(name)])),
  }
}

const seconds = (durationMs: number): number => Math.round(durationMs / 100) / 10
const rounded = (value: number | null | undefined): number | null => (value === null || value === undefined ? null : Math.round(value * 1000) / 1000)
