import { performance } from 'node:perf_hooks'

/** Somebody looks at the clock at every tick, so a gap of several means that this process did not run. */
const SUSPENDED_AFTER_TICKS = 5
/** A busy machine may well hold a process up for some of the shortest ticks. */
const SHORTEST_TICK_MS = 1000

/**
 * The running time of this process: monotonic, begun at its birth in unix time, and standing still while the process was
 * suspended (SIGSTOP, a paused machine). After a pause no deadline has passed and no worker looks silent because of us.
 */
export function createRunningClock(tickMs: number, rawMs: () => number = () => performance.timeOrigin + performance.now()): { nowMs(): number } {
  const suspendedAfterMs = SUSPENDED_AFTER_TICKS * Math.max(tickMs, SHORTEST_TICK_MS)
  let seenMs = rawMs()
  let suspendedMs = 0
  return {
    nowMs() {
      const raw = rawMs()
      if (raw - seenMs > suspendedAfterMs) suspendedMs += raw - seenMs
      seenMs = raw
      return raw - suspendedMs
    },
  }
}
