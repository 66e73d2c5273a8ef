/** When each part of a drain has to be over. Times are on the clock of `performance.now()`. */
export interface DrainPlan {
  readonly startedAtMs: number
  /** How long a quiet keep-alive connection may take to bring one more request, which is answered with `Connection: close`. */
  readonly idleGraceMs: number
  /** From here on connections that are not HTTP are ended, not only waited for. */
  readonly rawUntilMs: number
  /** From here on what is still connected is cut. */
  readonly connectionsUntilMs: number
  readonly endAtMs: number
  /** Over how long goodbyes are spread, so that clients that reconnect at once do not all arrive at once. */
  leaveWindowMs(count: number): number
}

/** Left for the exit itself, before the primary kills at the deadline. */
const MARGIN_MS = 250
const MARGIN_SHARE = 0.1
/** A client that is busy comes back within this; one that thinks longer would not notice a longer wait either. */
const IDLE_GRACE_MS = 500
const IDLE_GRACE_SHARE = 0.25
const RAW_SHARE = 0.5
/** Connections may use the whole time, unless the app has something to clean up after them. */
const CONNECTIONS_SHARE = 0.8
const LEAVE_SHARE = 0.5
/** 200 reconnecting clients a second. */
const LEAVE_GAP_MS = 5

export function planDrain(nowMs: number, timeoutMs: number, hasCleanUp: boolean): DrainPlan {
  const usableMs = timeoutMs - Math.min(MARGIN_MS, timeoutMs * MARGIN_SHARE)
  return {
    startedAtMs: nowMs,
    idleGraceMs: Math.min(IDLE_GRACE_MS, usableMs * IDLE_GRACE_SHARE),
    rawUntilMs: nowMs + usableMs * RAW_SHARE,
    connectionsUntilMs: nowMs + usableMs * (hasCleanUp ? CONNECTIONS_SHARE : 1),
    endAtMs: nowMs + usableMs,
    leaveWindowMs: (count) => Math.min(usableMs * LEAVE_SHARE, count * LEAVE_GAP_MS),
  }
}
