import type { FleetEvent } from '../fleet/event.ts'
import { type LatencyCounts, bucketOf, merge, percentileMs } from '../policy/latency.ts'
import { type Scenario, type ToldPoint, createLoad } from './scenario.ts'

/** What virtual workers report without anything in the model that makes it: the scenario says so, whatever the policy does. */
export interface Told {
  /** How long requests waited before they got here; null where no proxy tells. */
  readonly queueTimeMs: number | null
  /** By each worker. */
  readonly signals: Readonly<Record<string, number>>
}

const NOTHING: Told = { queueTimeMs: null, signals: {} }

/** Linear between points, as the load is; moments must be asked for in order. */
export function createTold({ request, signals }: Pick<Scenario, 'request' | 'signals'>): (atMs: number) => Told {
  if (!request.queueTimesMs && !signals) return () => NOTHING
  const queueTimeAt = request.queueTimesMs ? readerOf(request.queueTimesMs) : () => null
  const readers = Object.entries(signals ?? {}).map(([name, points]) => [name, readerOf(points)] as const)
  return (atMs) => ({ queueTimeMs: queueTimeAt(atMs), signals: Object.fromEntries(readers.map(([name, at]) => [name, at(atMs)])) })
}

function readerOf(points: readonly ToldPoint[]): (atMs: number) => number {
  return createLoad(points.map(({ atMs, value }) => ({ atMs, requestsPerSecond: value })))
}

/** The times of so many requests, all alike. */
export function queueTimesOf({ queueTimeMs }: Told, requests: number): LatencyCounts {
  return queueTimeMs === null || requests === 0 ? [] : [bucketOf(queueTimeMs), requests]
}

/** Just below the upper edge of a bucket lies in it; the edge itself in the next. */
const WITHIN = 0.999

/** What a journal shows of it: at each tick the p95 of the queue times, since the policy goes by that, and the mean of each signal. */
export function toldIn(
  samples: readonly Extract<FleetEvent, { kind: 'sampled' }>[],
  beganMs: number,
): Pick<Scenario, 'signals'> & { readonly queueTimesMs?: ToldPoint[] } {
  const queueTimesMs: ToldPoint[] = []
  const signals = new Map<string, ToldPoint[]>()
  for (const { nowMs, samples: of } of samples) {
    const atMs = Math.max(0, nowMs - beganMs)
    const reports = of.flatMap(({ report }) => report ?? [])
    const p95Ms = percentileMs(merge(reports.map(({ queueTimes }) => queueTimes)), 0.95)
    if (p95Ms !== null) queueTimesMs.push({ atMs, value: p95Ms * WITHIN })
    const names = new Set(reports.flatMap((report) => Object.keys(report.signals)))
    for (const name of names) {
      const values = reports.flatMap((report) => report.signals[name] ?? [])
      const points = signals.get(name) ?? []
      signals.set(name, points)
      points.push({ atMs, value: values.reduce((sum, value) => sum + value, 0) / values.length })
    }
  }
  return {
    ...(queueTimesMs.length > 0 ? { queueTimesMs } : {}),
    ...(signals.size > 0 ? { signals: Object.fromEntries(signals) } : {}),
  }
}
