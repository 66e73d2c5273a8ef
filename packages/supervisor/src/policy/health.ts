import type { HealthSettings } from './settings.ts'

/** Ticks a report may be late before it no longer counts: timers of two processes drift, and a busy loop reports late. */
const FRESH_TICKS = 3

export function isFresh(reportAtMs: number | null, nowMs: number, tickMs: number): boolean {
  return reportAtMs !== null && nowMs - reportAtMs <= FRESH_TICKS * tickMs
}

/** The event loop of a worker that was not heard of for so long has not turned. */
export function isSilentTooLong(silentMs: number, settings: HealthSettings): boolean {
  return silentMs > settings.stuckAfterMs
}

/** A diagnosis that takes longer than this will not come: the worker hangs outside of JavaScript, or the edge lost it. */
export const LONGEST_DIAGNOSIS_MS = 10_000

/** Ticks in a row above its memory limit before a worker is recycled: one peak before a garbage collection is no leak. */
export const TICKS_ABOVE_MEMORY_LIMIT = 3

/** An app that needs more than the limit from the start would be recycled without end; so young workers take turns at this pace. */
const RECYCLE_PAUSE_MS = 60_000

export function mayRecycle(ageMs: number, sinceLastRecycleMs: number): boolean {
  return ageMs >= RECYCLE_PAUSE_MS || sinceLastRecycleMs >= RECYCLE_PAUSE_MS
}
