import { type LatencyCounts, merge, percentileMs, total } from './latency.ts'
import type { Report } from './sample.ts'

/** One ready worker as the policy sees it at a tick; null where nothing fresh is known. */
export interface WorkerFacts {
  readonly workerId: number
  readonly cpu: number | null
  /** Resident memory over the worker's memory limit. */
  readonly memory: number | null
  readonly report: Report | null
  /** 0 for one that has just begun to serve, 1 for one that has done so for the whole `scaling.warmUp`. */
  readonly warmth: number
}

/**
 * A signal read three ways, after the rules of Kubernetes' HPA: what is missing counts against the intended action.
 * To grow, missing and warming workers count as idle; to shrink, one missing report or one warming worker forbids it.
 */
export interface Signal {
  readonly up: number | null
  readonly down: number | null
  /** The mean of what is known, for people. */
  readonly shown: number | null
}

/** A percentile of fewer responses than this is chance, not a reason to grow. */
const FEWEST_RESPONSES_FOR_P95 = 20

/** Signals whose total is a load that workers share. Memory, delays and response times are none, and of the app's own only the app knows. */
export const SHARED_LOADS = ['cpu', 'eventLoopUtilization', 'queue'] as const

/** What a new worker spends on compiling code and filling caches is no load that more workers would share. */
const INFLATED = true

type Reader = (facts: WorkerFacts) => number | null

const READERS = {
  cpu: (facts) => facts.cpu,
  memory: (facts) => facts.memory,
  queue: (facts) => facts.report?.queue ?? null,
  eventLoopDelay: (facts) => facts.report?.eventLoopDelayP99Ms ?? null,
  eventLoopUtilization: (facts) => facts.report?.eventLoopUtilization ?? null,
} as const satisfies Readonly<Record<string, Reader>>

export const builtInSignals: ReadonlySet<string> = new Set([...Object.keys(READERS), 'p95', 'queueTime'])

export type Signals = Readonly<Record<string, Signal>>

/** Histograms of the last ticks, one a tick. */
export interface Percentiles {
  readonly latencies: readonly LatencyCounts[]
  readonly queueTimes: readonly LatencyCounts[]
}

/** Reads every built-in signal off the ready workers, and those of the app that are named. */
export function readSignals(
  ready: readonly WorkerFacts[],
  warming: number,
  { latencies, queueTimes }: Percentiles,
  customNames: readonly string[] = [],
): Signals {
  const fleet = { ready, warming, isWarm: warming === 0 && ready.every(({ warmth }) => warmth >= 1) }
  const signals: Record<string, Signal> = {
    cpu: meanSignal(fleet, READERS.cpu, INFLATED),
    memory: meanSignal(fleet, READERS.memory),
    queue: meanSignal(fleet, READERS.queue),
    eventLoopDelay: meanSignal(fleet, READERS.eventLoopDelay, INFLATED),
    eventLoopUtilization: meanSignal(fleet, READERS.eventLoopUtilization, INFLATED),
    p95: p95Signal(fleet, latencies),
    queueTime: p95Signal(fleet, queueTimes),
  }
  for (const name of customNames) signals[name] = customSignal(fleet, name)
  return signals
}

/** The ready workers, how many more are on their way, and whether all of them are there and warm. */
interface Read {
  readonly ready: readonly WorkerFacts[]
  readonly warming: number
  readonly isWarm: boolean
}

function meanSignal({ ready, warming, isWarm }: Read, read: Reader, isInflated = false): Signal {
  let sum = 0
  let weighed = 0
  let known = 0
  for (const facts of ready) {
    const value = read(facts)
    // A negative or endless value is no measurement: it counts as missing.
    if (value === null || !Number.isFinite(value) || value < 0) continue
    sum += value
    weighed += isInflated ? value * facts.warmth : value
    known++
  }
  if (known === 0) return { up: null, down: null, shown: null }
  const complete = known === ready.length && isWarm
  return { up: weighed / (ready.length + warming), down: complete ? sum / known : null, shown: sum / known }
}

/** Only the app knows its unit, so it may be negative; then what is missing or warming counts as much as the lowest, not as 0. */
function customSignal({ ready, warming, isWarm }: Read, name: string): Signal {
  const known = ready.flatMap(({ report }) => (report !== null && Object.hasOwn(report.signals, name) ? [report.signals[name] as number] : []))
  if (known.length === 0) return { up: null, down: null, shown: null }
  const sum = known.reduce((total, value) => total + value, 0)
  const others = ready.length - known.length + warming
  const mean = sum / known.length
  return {
    up: (sum + others * Math.min(0, ...known)) / (known.length + others),
    down: others === 0 && isWarm ? mean : null,
    shown: mean,
  }
}

function p95Signal({ ready, isWarm }: Read, histograms: readonly LatencyCounts[]): Signal {
  const merged = merge(histograms)
  const p95Ms = percentileMs(merged, 0.95)
  const silent = ready.length === 0 || ready.some((facts) => facts.report === null)
  return {
    up: total(merged) >= FEWEST_RESPONSES_FOR_P95 ? p95Ms : 0,
    down: silent || !isWarm ? null : (p95Ms ?? 0),
    shown: silent && p95Ms === null ? null : (p95Ms ?? 0),
  }
}
