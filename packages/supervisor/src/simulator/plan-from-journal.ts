import type { FleetEvent } from '../fleet/event.ts'
import type { Recording } from '../fleet/replay.ts'
import { type LatencyCounts, merge, percentileMs, upperEdgeMs } from '../policy/latency.ts'
import type { Report } from '../policy/sample.ts'
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
  const { request, idleShare, cpuShare } = costsOf(samples, tickMs, capacity.cpus)
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
      idleShare,
      cpuShare,
    },
    host: { cpus: capacity.cpus, memoryBytes: capacity.memoryBytes, others: othersOf(samples, beganMs) },
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

/** While more of the machine was in use, loops waited for cores: that is told by the simulated cores again, and must not count twice. */
const CROWDED = 0.75
/** Response times of loops that were less busy than this are hardly longer than the requests themselves take. */
const CALM = 0.5
const WAITS = 20
/** Below this there is hardly a queue; above the other it is counted one by one. */
const QUIET = 0.3
const HALF_BUSY_UNTIL = 0.8

/** What a request takes, told from how much busier loops were that answered more of them. */
function costsOf(samples: readonly Sampled[], tickMs: number, cpus: number): { request: Scenario['request']; idleShare: number; cpuShare: number } {
  const looks = samples.flatMap(({ usage, samples: of }) =>
    of.flatMap(({ cpu, report }) =>
      cpu === null || report === null
        ? []
        : [
            {
              cpuMs: cpu * tickMs,
              loopMs: report.eventLoopUtilization * report.intervalMs,
              isCrowded: (usage.cpus ?? 0) > CROWDED * cpus,
              ...report,
            },
          ],
    ),
  )
  const asked = looks.filter(({ requests }) => requests > 0)
  if (asked.length === 0) return { request: { cpuMs: STANDARD.cpuMs, waitMs: STANDARD.waitMs }, idleShare: 0, cpuShare: 1 }
  const alone = asked.filter(({ isCrowded }) => !isCrowded)
  const free = alone.length > 0 ? alone : asked
  const { slope: loopMs, start } = lineThrough(free.map(({ requests, loopMs: y }) => [requests, y]))
  const cpuShare = Math.min(1, sum(free.map(({ cpuMs }) => cpuMs)) / Math.max(1, sum(free.map((look) => look.loopMs))))
  const calm = asked.filter(({ eventLoopUtilization }) => eventLoopUtilization < CALM)
  const times = merge((calm.length > 0 ? calm : asked).map(({ latencies }) => latencies))
  const waitsMs = Array.from({ length: WAITS }, (_, index) => Math.max(0, (percentileMs(times, (index + 0.5) / WAITS) ?? 0) - loopMs))
  const request = { cpuMs: loopMs, waitMs: sum(waitsMs) / WAITS, waitsMs, queueingShare: queueingOf(asked, loopMs) }
  return { request, idleShare: start / tickMs, cpuShare }
}

/** How much longer requests took where loops were half busy, of what random arrivals would have made of it. */
function queueingOf(looks: readonly Pick<Report, 'latencies' | 'eventLoopUtilization'>[], loopMs: number): number {
  const seen = looks.map(({ latencies, eventLoopUtilization: busy }) => ({
    busy,
    meanMs: meanOf(latencies),
    randomMs: (busy * loopMs) / (2 * (1 - busy)),
  }))
  const baseMs = median(seen.filter(({ busy }) => busy < QUIET).map(({ meanMs }) => meanMs))
  const halfBusy = seen.filter(({ busy }) => busy >= QUIET && busy < HALF_BUSY_UNTIL)
  const share = baseMs === null ? null : median(halfBusy.map(({ meanMs, randomMs }) => (meanMs - baseMs) / randomMs))
  return Math.min(1, Math.max(0, share ?? 1))
}

function meanOf(counts: LatencyCounts): number {
  let [all, totalMs] = [0, 0]
  for (let place = 0; place < counts.length; place += 2) {
    all += counts[place + 1] as number
    totalMs += upperEdgeMs(counts[place] as number) * (counts[place + 1] as number)
  }
  return totalMs / Math.max(1, all)
}

/** The line that fits best. Where the points do not tell of one, it begins at zero. */
function lineThrough(points: readonly (readonly [x: number, y: number])[]): { readonly slope: number; readonly start: number } {
  const [meanX, meanY] = [sum(points.map(([x]) => x)) / points.length, sum(points.map(([, y]) => y)) / points.length]
  const spread = sum(points.map(([x]) => (x - meanX) ** 2))
  const slope = spread === 0 ? 0 : sum(points.map(([x, y]) => (x - meanX) * (y - meanY))) / spread
  const start = meanY - slope * meanX
  return slope > 0 && start > 0 ? { slope, start } : { slope: Math.max(0.001, meanY / meanX), start: 0 }
}

/** What the machine was busy with besides these workers. */
function othersOf(samples: readonly Sampled[], beganMs: number): NonNullable<Scenario['host']['others']> {
  return samples.flatMap(({ nowMs, usage, samples: of }) =>
    usage.cpus === null ? [] : [{ atMs: Math.max(0, nowMs - beganMs), cpus: Math.max(0, usage.cpus - sum(of.map(({ cpu }) => cpu ?? 0))) }],
  )
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
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
