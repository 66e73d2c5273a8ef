import type { Status, WorkerStatus } from '../fleet/status.ts'
import { type Prices, monthlyCostUsd } from '../policy/cost.ts'
import type { Tally } from './tally.ts'

/** One value and what it is of; null where it is not known, and then it is absent. */
export type Reading = readonly [value: number | null, labels?: Readonly<Record<string, string>>]

export interface Metric {
  readonly name: string
  readonly help: string
  readonly kind: 'gauge' | 'counter'
  readonly readings: readonly Reading[]
}

/** Everything that Prometheus is told, in base units. Labels have few values: a worker is named by its slot, never by its id. */
export function metricsOf(status: Status, tally: Tally, prices: Prices): Metric[] {
  return [
    ...lifeMetrics(status),
    ...fleetMetrics(status),
    ...workerMetrics(status),
    ...databaseMetrics(status),
    ...replicaMetrics(status, prices),
    ...counters(status, tally),
  ]
}

const STATES = ['starting', 'running', 'draining', 'stopped'] as const
const MODES = ['auto', 'manual', 'shadow'] as const
const WORKER_STATES = ['booting', 'spare', 'ready', 'draining', 'killing'] as const
const COORDINATIONS = ['alone', 'redis', 'redis-lost'] as const

function lifeMetrics({ state, mode, uptimeS, generation, capacity }: Status): Metric[] {
  return [
    gauge('state', 'State of the supervisor: 1 for the one it is in.', oneOf('state', STATES, state)),
    gauge('mode', 'Who decides the size of the fleet: 1 for the mode in force.', oneOf('mode', MODES, mode)),
    gauge('uptime_seconds', 'Time since the fleet was started.', [[uptimeS]]),
    gauge('generation', 'Generation of the workers that serve; each reload begins another.', [[generation]]),
    gauge('capacity_cpus', 'Cores that the container may use.', [[capacity.cpus]]),
    gauge('capacity_memory_bytes', 'Memory that the container may use.', [[capacity.memoryBytes]]),
  ]
}

function fleetMetrics({ fleet, workers }: Status): Metric[] {
  const inState = (state: WorkerStatus['state']): Reading => [workers.filter((worker) => worker.state === state).length, { state }]
  return [
    gauge('workers', 'Worker processes by state.', WORKER_STATES.map(inState)),
    gauge('target_workers', 'Workers that there should be.', [[fleet.target]]),
    gauge('min_workers', 'workers.min.', [[fleet.min]]),
    gauge('max_workers', 'workers.max.', [[fleet.max]]),
    gauge('fleet_cpu_ratio', 'Share of one core, mean over ready workers.', [[fleet.cpu]]),
    gauge('fleet_memory_ratio', 'Resident memory over workers.memoryLimit, mean over ready workers.', [[fleet.memory]]),
    gauge('fleet_event_loop_utilization_ratio', 'Event-loop utilisation, mean over ready workers.', [[fleet.eventLoopUtilization]]),
    gauge('fleet_event_loop_delay_p99_seconds', '99th percentile of the event-loop delay, mean over ready workers.', [
      [seconds(fleet.eventLoopDelayP99Ms)],
    ]),
    gauge('fleet_queue_requests', 'Requests received and not yet answered, mean over ready workers.', [[fleet.queue]]),
    gauge('fleet_response_time_p95_seconds', '95th percentile of response times of the whole fleet.', [[seconds(fleet.p95Ms)]]),
    gauge('fleet_wait_time_p95_seconds', '95th percentile of the time that requests waited before they got here.', [[seconds(fleet.queueTimeP95Ms)]]),
    gauge(
      'fleet_signal',
      "The app's own signals that the fleet is scaled by.",
      Object.entries(fleet.signals).map(([signal, value]) => [value, { signal }]),
    ),
  ]
}

function workerMetrics({ workers }: Status): Metric[] {
  const shown = onePerSlot(workers)
  const each = (name: string, help: string, read: (worker: WorkerStatus) => number | null): Metric =>
    gauge(
      `worker_${name}`,
      help,
      shown.map((worker) => [read(worker), { slot: String(worker.slot) }]),
    )
  return [
    gauge(
      'worker_state',
      'State of the worker in a slot: 1 for the one it is in.',
      shown.map(({ slot, state }) => [1, { slot: String(slot), state }]),
    ),
    each('uptime_seconds', 'Time since the worker was forked.', ({ uptimeS }) => uptimeS),
    each('cpu_ratio', 'Share of one core.', ({ cpu }) => cpu),
    each('memory_bytes', 'Resident memory.', ({ memoryBytes }) => memoryBytes),
    each('memory_ratio', 'Resident memory over workers.memoryLimit.', ({ memory }) => memory),
    each('event_loop_utilization_ratio', 'Event-loop utilisation.', (worker) => worker.eventLoopUtilization),
    each('event_loop_delay_p99_seconds', '99th percentile of the event-loop delay.', (worker) => seconds(worker.eventLoopDelayP99Ms)),
    each('queue_requests', 'Requests received and not yet answered.', ({ queue }) => queue),
    each('response_time_p95_seconds', '95th percentile of response times.', ({ p95Ms }) => seconds(p95Ms)),
    each('connections', 'Open connections.', ({ connections }) => connections),
    each('sockets', 'Upgraded connections (WebSocket).', ({ sockets }) => sockets),
    each('database_granted_connections', 'Database connections the worker may open.', ({ database }) => database?.granted ?? null),
    each('database_acknowledged_connections', 'What it has confirmed that it stays within.', ({ database }) => database?.acknowledged ?? null),
    each('database_in_use_connections', 'Database connections in use.', ({ database }) => database?.inUse ?? null),
    each('database_waiting_callers', 'Callers that wait for a database connection.', ({ database }) => database?.waiting ?? null),
  ]
}

const TELLING: readonly WorkerStatus['state'][] = ['ready', 'draining', 'spare', 'booting', 'killing']

/** While one worker replaces another both have the same slot; the one that serves is shown. */
function onePerSlot(workers: readonly WorkerStatus[]): WorkerStatus[] {
  const bySlot = new Map<number, WorkerStatus>()
  for (const worker of workers) {
    const other = bySlot.get(worker.slot)
    if (!other || TELLING.indexOf(worker.state) < TELLING.indexOf(other.state)) bySlot.set(worker.slot, worker)
  }
  return [...bySlot.values()].sort((a, b) => a.slot - b.slot)
}

function databaseMetrics({ database }: Status): Metric[] {
  if (database === null) return []
  return [
    gauge('database_budget_connections', 'database.budget: for all workers of all replicas.', [[database.budget]]),
    gauge('database_share_connections', 'Of the budget, what is for the workers of this replica.', [[database.share]]),
    gauge('database_granted_connections', 'What the workers of this replica may open.', [[database.granted]]),
    gauge('database_acknowledged_connections', 'What they have confirmed that they stay within.', [[database.acknowledged]]),
    gauge('database_in_use_connections', 'Connections in use.', [[database.inUse]]),
    gauge('database_waiting_callers', 'Callers that wait for a connection.', [[database.waiting]]),
    gauge('database_quarantined_connections', 'Of workers that are gone, not yet seen to be closed by the server.', [[database.quarantined]]),
    gauge('database_foreign_connections', "Of the app's role, and of nobody's fleet.", [[database.foreign]]),
  ]
}

function replicaMetrics({ replica, replicas }: Status, prices: Prices): Metric[] {
  const have = replicas?.have ?? Math.max(1, replica.peers)
  return [
    gauge('replicas', 'Replicas that this one knows of, itself included.', [[have]]),
    gauge('needed_replicas', 'Replicas that the load calls for.', [[replicas?.needs ?? have]]),
    gauge('replica_coordination', 'How replicas meet: 1 for the way in force.', oneOf('coordination', COORDINATIONS, replica.coordination)),
    gauge('cost_usd_per_month', 'What a month of so many replicas costs.', [[monthlyCostUsd(have, prices)]]),
  ]
}

function counters({ fleet }: Status, { restarts, decisions, heldBack }: Tally): Metric[] {
  const counter = (name: string, help: string, readings: readonly Reading[]): Metric => ({
    name: `stationmaster_${name}_total`,
    help,
    kind: 'counter',
    readings,
  })
  const by = (label: string, counts: ReadonlyMap<string, number>): Reading[] => [...counts].map(([value, count]) => [count, { [label]: value }])
  return [
    counter('requests', 'Requests answered, as far as workers have reported them.', [[fleet.requestsTotal]]),
    counter('restarts', 'Workers replaced because of what happened to them, by cause.', by('cause', restarts)),
    counter('decisions', 'Decisions of the scaling policy that were news, by what was done.', by('direction', decisions)),
    counter('decisions_held_back', 'What held such decisions back.', by('by', heldBack)),
  ]
}

const gauge = (name: string, help: string, readings: readonly Reading[]): Metric => ({ name: `stationmaster_${name}`, help, kind: 'gauge', readings })

const oneOf = (label: string, all: readonly string[], now: string): Reading[] => all.map((each) => [each === now ? 1 : 0, { [label]: each }])

const seconds = (durationMs: number | null): number | null => (durationMs === null ? null : durationMs / 1000)
