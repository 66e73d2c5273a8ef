import { SHARED_LOADS, type Signals } from './signals.ts'

/**
 * A total load and how fast it changes, both smoothed (Holt's method), so that a worker can be forked before it is needed. The total, not
 * the mean: a new worker takes its share of the load, but does not change it.
 */
export interface Trend {
  readonly level: number
  readonly slopePerMs: number
  readonly watchedMs: number
}

/** Short enough to follow a rush, long enough to see through a noisy tick. */
const LEVEL_MEMORY_MS = 3000
const SLOPE_MEMORY_MS = 12_000
/** Before that every trend is chance. */
const SHORTEST_WATCH_MS = 10_000
/** A load that rises by less than this part of itself until a new worker could serve is no rush; its windows will meet it. */
const SMALLEST_RISE = 0.1

/** Carries a trend over one more tick. What is not known (null) ends it: nobody can tell what happened meanwhile. */
export function advanceTrend(trend: Trend | null, total: number | null, intervalMs: number): Trend | null {
  if (total === null) return null
  if (!trend) return { level: total, slopePerMs: 0, watchedMs: 0 }
  const expected = trend.level + trend.slopePerMs * intervalMs
  const level = expected + weight(intervalMs, LEVEL_MEMORY_MS) * (total - expected)
  const seen = (level - trend.level) / Math.max(intervalMs, 1)
  const slopePerMs = trend.slopePerMs + weight(intervalMs, SLOPE_MEMORY_MS) * (seen - trend.slopePerMs)
  return { level, slopePerMs, watchedMs: trend.watchedMs + intervalMs }
}

const weight = (intervalMs: number, memoryMs: number): number => 1 - Math.exp(-intervalMs / memoryMs)

/** The total that is to be expected after `horizonMs`; null where the load does not clearly rise, since nothing is ever done for a fall. */
export function forecastOf(trend: Trend | null, horizonMs: number): number | null {
  if (!trend || trend.watchedMs < SHORTEST_WATCH_MS) return null
  const rise = trend.slopePerMs * horizonMs
  return rise > SMALLEST_RISE * Math.max(trend.level, 0) && rise > 0 ? trend.level + rise : null
}

/** Who boots longer than this cannot be helped by a look at the last minute. */
const LONGEST_HORIZON_MS = 60_000

export type Trends = Readonly<Record<string, Trend | null>>

interface LoadTick {
  readonly intervalMs: number
  readonly signals: Signals
  readonly ready: number
}

/** Silent workers are taken to be as busy as the others: what dips and comes back with a lost report is no trend. */

export function advanceTrends(trends: Trends, { intervalMs, signals, ready }: LoadTick): Trends {
  const next: Record<string, Trend | null> = {}
  for (const name of SHARED_LOADS) {
    const mean = signals[name]?.shown ?? null
    next[name] = advanceTrend(trends[name] ?? null, mean === null ? null : mean * ready, intervalMs)
  }
  return next
}

/** The mean of each signal that is to be expected once a worker forked now could serve, as if none were forked. */
export function expectedMeans(
  trends: Trends,
  { serving, bootMs }: { readonly serving: number; readonly bootMs: number | null },
): Record<string, number> {
  const means: Record<string, number> = {}
  if (bootMs === null || serving === 0) return means
  for (const name in trends) {
    const total = forecastOf(trends[name] ?? null, Math.min(bootMs, LONGEST_HORIZON_MS))
    if (total !== null) means[name] = total / serving
  }
  return means
}
