import { performance } from 'node:perf_hooks'

/** Somebody looks at the clock at every tick, so a longer gap means that this process did not run. */
const SUSPENDED_AFTER_MS = 5000

/**
 * The running time of this process: monotonic, begun at its birth in unix time, and standing still while the process was
 * suspended (SIGSTOP, a paused machine). After a pause no deadline has passed and no worker looks silent because of us.
 */
export function createRunningClock(rawMs: () => number = () => performance.timeOrigin + performance.now()): { nowMs(): number } {
  let seenMs = rawMs()
  let suspendedMs = 0
  return {
    nowMs() {
      const raw = rawMs()
      if (raw - seenMs > SUSPENDED_AFTER_MS) suspendedMs += raw - seenMs
      seenMs = raw
      return raw - suspendedMs
    },
  }
}
