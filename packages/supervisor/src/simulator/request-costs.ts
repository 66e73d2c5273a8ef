import type { FleetEvent } from '../fleet/event.ts'
import { type LatencyCounts, merge, percentileMs, upperEdgeMs } from '../policy/latency.ts'
import type { Report } from '../policy/sample.ts'
import { STANDARD } from './plan.ts'
import type { Scenario } from './scenario.ts'
import { stretchOf } from './share-cores.ts'

/** While more of the machine was in use than this, what a loop waited for cores says little of what its requests take. */
const CROWDED = 0.75
/** Response times of loops that were less busy than this are hardly longer than the requests themselves take. */
const CALM = 0.5
/** Fine enough for a p95 between two of them. */
const WAITS = 60
/** Below this there is hardly a queue; above the other it is counted one by one. */
const QUIET = 0.3
const HALF_BUSY_UNTIL = 0.8

export type Measured = Extract<FleetEvent, { kind: 'sampled' }>

/** What one worker did in one interval. */
interface Look extends Report {
  readonly cpuMs: number
  /** Time on its loop, without the waiting for a core. */
  readonly loopMs: number
  readonly stretch: number
  readonly isCrowded: boolean
}

export interface Costs {
  readonly request: Scenario['request']
  readonly idleShare: number
  readonly cpuShare: number
}

/**
 * What a request takes, told from how much busier loops were that answered more of them. Waiting for a core is no part of it: what the
 * simulated cores add again would count twice.
 */
export function costsOf(samples: readonly Measured[], tickMs: number, cpus: number): Costs {
  const looks = samples.flatMap((event) => looksAt(event, tickMs, cpus))
  const asked = looks.filter(({ requests }) => requests > 0)
  if (asked.length === 0) return { request: { cpuMs: STANDARD.cpuMs, waitMs: STANDARD.waitMs }, idleShare: 0, cpuShare: 1 }
  const free = asked.some(({ isCrowded }) => !isCrowded) ? looks.filter(({ isCrowded }) => !isCrowded) : looks
  // Those that answered nothing tell what a loop does by itself.
  const { slope: cpuMs, start } = lineThrough(free.map(({ requests, loopMs }) => [requests, loopMs]))
  const cpuShare = Math.min(1, sum(free.map((look) => look.cpuMs)) / Math.max(1, sum(free.map(({ loopMs }) => loopMs))))
  const calm = asked.filter(({ eventLoopUtilization }) => eventLoopUtilization < CALM)
  const times = merge((calm.length > 0 ? calm : asked).map(({ latencies }) => latencies))
  const waitsMs = Array.from({ length: WAITS }, (_, index) => Math.max(0, (percentileMs(times, (index + 0.5) / WAITS) ?? 0) - cpuMs))
  const request = { cpuMs, waitMs: sum(waitsMs) / WAITS, waitsMs, queueingShare: queueingOf(asked, cpuMs) }
  return { request, idleShare: start / tickMs, cpuShare }
}

function looksAt({ usage, samples }: Measured, tickMs: number, cpus: number): Look[] {
  const usedCpus = usage.cpus ?? 0
  return samples.flatMap(({ cpu, report }) => {
    if (cpu === null || report === null) return []
    const stretch = stretchOf(Math.min(1, Math.max(0, usedCpus - cpu) / cpus), cpus)
    const loopMs = (report.eventLoopUtilization * report.intervalMs) / stretch
    return [{ ...report, cpuMs: cpu * tickMs, loopMs, stretch, isCrowded: usedCpus > CROWDED * cpus }]
  })
}

/** How much longer requests took where loops were half busy, of what random arrivals would have made of it. */
function queueingOf(looks: readonly Look[], cpuMs: number): number {
  const seen = looks.map(({ latencies, eventLoopUtilization: busy, stretch }) => ({
    busy,
    meanMs: meanOf(latencies) - cpuMs * (stretch - 1),
    randomMs: (busy * cpuMs * stretch) / (2 * (1 - busy)),
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

export const median = (values: readonly number[]): number | null => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? null
export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
