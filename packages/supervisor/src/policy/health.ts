import type { HealthSettings } from './settings.ts'

/** Ticks a report may be late before it no longer counts: timers of two processes drift, and a busy loop reports late. */
const FRESH_TICKS = 3

export function isFresh(reportAtMs: number | null, nowMs: number, tickMs: number): boolean {
  return reportAtMs !== null && nowMs - reportAtMs <= FRESH_TICKS * tickMs
}

/** How long a ready worker has been silent; its event loop cannot have turned in that time. */
export function silentMs(reportAtMs: number | null, readyAtMs: number, nowMs: number): number {
  return nowMs - Math.max(reportAtMs ?? 0, readyAtMs)
}

export function isStuck(silentForMs: number, settings: HealthSettings): boolean {
  return silentForMs > settings.stuckAfterMs
}

/** Ticks in a row above its memory limit before a worker is recycled: one peak before a garbage collection is no leak. */
export const TICKS_ABOVE_MEMORY_LIMIT = 3
