import type { FleetEvent } from '../fleet/event.ts'
import type { Recording } from '../fleet/replay.ts'
import { type Plan, STANDARD, standardObjectiveMs } from './plan.ts'
import { machineOf } from './machine-use.ts'
import { type Measured, costsOf, median, sum } from './request-costs.ts'
import type { LoadPoint, OperatorRequest, Scenario } from './scenario.ts'
import { toldIn } from './told.ts'

/**
 * The load that a journal tells of, and requests and workers as it shows them: what another policy meets is last night. Response times
 * are modelled, not copied, since they depend on the policy.
 */
export function planFromJournal({ start, events }: Recording): Plan {
  const beganMs = beginningOf({ start, events })
  const samples = events.filter((event): event is Measured => event.kind === 'sampled')
  const first = samples[0] as Measured
  const endedMs = events.at(-1)?.nowMs ?? beganMs
  const { tickMs, capacity } = start.settings
  const { request, idleShare, cpuShare } = costsOf(samples, tickMs, capacity.cpus)
  const { bootMs, bootCpus, others } = machineOf(events, tickMs)
  const memoryBytes = median(samples.flatMap((event) => event.samples.flatMap((sample) => sample.memoryBytes ?? []))) ?? STANDARD.memoryBytes
  const { queueTimesMs, signals } = toldIn(samples, beganMs)
  const scenario: Scenario = {
    seed: STANDARD.seed,
    load: loadOf(samples, beganMs, tickMs),
    request: { ...request, ...(queueTimesMs ? { queueTimesMs } : {}) },
    ...(signals ? { signals } : {}),
    // What a request takes of memory cannot be told from a mean: the workers keep the size that they had.
    worker: {
      bootMs: bootMs ?? STANDARD.bootMs,
      bootCpus,
      memoryBytes,
      memoryPerRequestBytes: 0,
      leakPerRequestBytes: 0,
      gcEveryBytes: Number.MAX_SAFE_INTEGER,
      gcPauseMs: 0,
      idleShare,
      cpuShare,
    },
    host: {
      cpus: capacity.cpus,
      memoryBytes: capacity.memoryBytes,
      others: others.map(({ atMs, cpus }) => ({ atMs: Math.max(0, atMs - beganMs), cpus })),
    },
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

/** A tick before the first sample: so the ticks of a run in virtual time are those of the real one. */
export function beginningOf({ start, events }: Recording): number {
  const first = events.find(({ kind }) => kind === 'sampled')
  return first ? first.nowMs - start.settings.tickMs : (events[0]?.nowMs ?? start.nowMs)
}

const crashAt = (atMs: number): Scenario['faults'][number] => ({ atMs, kind: 'crash', worker: 'any', forMs: 0 })

/** Loops that were fuller than this answered what they could, and not what came in. */
const FULL = 0.8

/**
 * What came in is what was answered, and what the queues grew by. While loops were full, clients and the kernel held back what could not be
 * read: then only the sum is known, and it is taken to have come evenly.
 */
function loadOf(samples: readonly Measured[], beganMs: number, tickMs: number): LoadPoint[] {
  let queueBefore = 0
  let full: { arrived: number }[] = []
  const ticks = samples.map((event) => {
    const reports = event.samples.flatMap(({ report }) => report ?? [])
    const queue = sum(reports.map((report) => report.queue))
    const asked = reports.filter(({ requests }) => requests > 0)
    const tick = {
      atMs: Math.max(0, event.nowMs - beganMs - tickMs),
      arrived: Math.max(0, sum(asked.map(({ requests }) => requests)) + queue - queueBefore),
    }
    queueBefore = queue
    const isFull = asked.length > 0 && sum(asked.map(({ eventLoopUtilization }) => eventLoopUtilization)) / asked.length > FULL
    if (isFull) full.push(tick)
    else full = spread(full)
    return tick
  })
  spread(full)
  return ticks.map(({ atMs, arrived }) => ({ atMs, requestsPerSecond: (arrived * 1000) / tickMs, step: true }))
}

/** Once for all of them: a night of overload is tens of thousands of ticks. */
function spread(ticks: readonly { arrived: number }[]): never[] {
  const mean = sum(ticks.map(({ arrived }) => arrived)) / ticks.length
  for (const tick of ticks) tick.arrived = mean
  return []
}

function requestsOf(event: FleetEvent, beganMs: number): OperatorRequest[] {
  switch (event.kind) {
    case 'scaleRequested':
    case 'reloadRequested':
    case 'drainRequested':
    case 'budgetRequested': {
      const { nowMs, ...request } = event
      return [{ atMs: nowMs - beganMs, event: request }]
    }
    default:
      return []
  }
}
