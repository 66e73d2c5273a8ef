import type { FleetEvent } from '../fleet/event.ts'
import type { Recording } from '../fleet/replay.ts'
import { merge, percentileMs } from '../policy/latency.ts'
import { type Plan, STANDARD, standardObjectiveMs } from './plan.ts'
import type { LoadPoint, OperatorRequest, Scenario } from './scenario.ts'

type Sampled = Extract<FleetEvent, { kind: 'sampled' }>

/**
 * The load that a journal tells of, and requests and workers as it shows them: what another policy meets is last night. Response times
 * are modelled, not copied, since they depend on the policy.
 */
export function planFromJournal({ start, events }: Recording): Plan {
  const beganMs = events[0]?.nowMs ?? start.nowMs
  const samples = events.filter((event): event is Sampled => event.kind === 'sampled')
  const first = samples[0] as Sampled
  const endedMs = events.at(-1)?.nowMs ?? beganMs
  const { tickMs, capacity } = start.settings
  const request = requestOf(samples, tickMs)
  const memoryBytes = median(samples.flatMap((event) => event.samples.flatMap((sample) => sample.memoryBytes ?? []))) ?? STANDARD.memoryBytes
  const scenario: Scenario = {
    seed: STANDARD.seed,
    load: loadOf(samples, beganMs, tickMs),
    request,
    // What a request takes of memory cannot be told from a mean: the workers keep the size that they had.
    worker: {
      bootMs: bootMsOf(events) ?? STANDARD.bootMs,
      memoryBytes,
      memoryPerRequestBytes: 0,
      leakPerRequestBytes: 0,
      gcEveryBytes: Number.MAX_SAFE_INTEGER,
      gcPauseMs: 0,
    },
    host: { cpus: capacity.cpus, memoryBytes: capacity.memoryBytes },
    database: { concurrency: STANDARD.databaseConcurrency },
    faults: events.flatMap((event) => (event.kind === 'exited' && event.code !== null && event.code !== 0 ? [crashAt(event.nowMs - beganMs)] : [])),
    requests: events.flatMap((event) => requestsOf(event, beganMs)),
  }
  return {
    about: '',
    scenario,
    durationMs: Math.max(tickMs, endedMs - beganMs),
    firstTarget: start.phase === 'running' ? start.target : null,
    tickMs,
    startsAtMs: first.wallMs - (first.nowMs - beganMs),
    objectiveMs: standardObjectiveMs(request),
    options: {},
    expect: {},
  }
}

const crashAt = (atMs: number): Scenario['faults'][number] => ({ atMs, kind: 'crash', worker: 'any', forMs: 0 })

/** What came in is what was answered, and what the queues grew by. */
function loadOf(samples: readonly Sampled[], beganMs: number, tickMs: number): LoadPoint[] {
  let queueBefore = 0
  return samples.map((event) => {
    const reports = event.samples.flatMap(({ report }) => report ?? [])
    const queue = reports.reduce((sum, report) => sum + report.queue, 0)
    const answered = reports.reduce((sum, report) => sum + report.requests, 0)
    const arrived = Math.max(0, answered + queue - queueBefore)
    queueBefore = queue
    return { atMs: Math.max(0, event.nowMs - beganMs - tickMs / 2), requestsPerSecond: (arrived * 1000) / tickMs }
  })
}

function requestOf(samples: readonly Sampled[], tickMs: number): Scenario['request'] {
  let [requests, cpuMs] = [0, 0]
  for (const { cpu, report } of samples.flatMap((event) => event.samples)) {
    if (cpu === null || report === null) continue
    requests += report.requests
    // An idle process takes some time of its own; of few requests nothing can be told.
    if (report.requests > 0) cpuMs += cpu * tickMs
  }
  if (requests === 0) return { cpuMs: STANDARD.cpuMs, waitMs: STANDARD.waitMs }
  const perRequestMs = Math.max(0.001, cpuMs / requests)
  const times = merge(samples.flatMap((event) => event.samples.flatMap(({ report }) => (report ? [report.latencies] : []))))
  return { cpuMs: perRequestMs, waitMs: Math.max(0, (percentileMs(times, 0.5) ?? 0) - perRequestMs) }
}

function bootMsOf(events: readonly FleetEvent[]): number | null {
  const forkedAtMs = new Map<number, number>()
  const boots: number[] = []
  for (const event of events) {
    if (event.kind === 'forked') forkedAtMs.set(event.workerId, event.nowMs)
    const atMs = event.kind === 'readied' ? forkedAtMs.get(event.workerId) : undefined
    if (atMs !== undefined) boots.push(event.nowMs - atMs)
  }
  return median(boots)
}

function requestsOf(event: FleetEvent, beganMs: number): OperatorRequest[] {
  if (event.kind !== 'scaleRequested' && event.kind !== 'reloadRequested') return []
  const { nowMs, ...request } = event
  return [{ atMs: nowMs - beganMs, event: request }]
}

const median = (values: readonly number[]): number | null => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? null
