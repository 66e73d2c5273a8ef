/** When each part of a drain has to be over. Times are on the clock of `performance.now()`. */
export interface DrainPlan {
  readonly startedAtMs: number
  /**
   * How long a quiet keep-alive connection may take to bring one more request, which is answered with `Connection: close`;
   * `keepAliveTimeoutMs` is that of its server.
   */
  idleGraceMs(keepAliveTimeoutMs: number | undefined): number
  /** Until then a Socket.IO client with an acknowledgement under way is not told to leave. */
  readonly answersUntilMs: number
  /** A client that polls is back within this, or gone. */
  readonly nextPollMs: number
  /** How long to stay after the last polling session: what its client sent before it heard of the end is still answered. */
  readonly lastWordMs: number
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
/** When the fleet stops: a client that is busy comes back within this. */
const IDLE_GRACE_MS = 500
const IDLE_GRACE_SHARE = 0.25
/**
 * When others serve on, nothing hurries. What a client sends at the very moment of a close is lost, so a quiet connection is closed no
 * earlier than its server would have closed it; clients know that time (`Keep-Alive: timeout=5`) and keep clear of it.
 */
const PATIENT_MARGIN_MS = 1000
/** Node's default, for servers that would never close one. */
const KEEP_ALIVE_MS = 5000
const NEXT_POLL_MS = 2000
/** When others serve on, a client that is slow finds its session ended, and not unknown. */
const PATIENT_NEXT_POLL_MS = 6000
const LAST_WORD_MS = 2000
const LAST_WORD_SHARE = 0.5
const RAW_SHARE = 0.5
/** Some acknowledgements never come, since a handler forgot them: these must not hold up every drain for long. */
const ANSWERS_MS = 10_000
const ANSWERS_SHARE = 0.5
/** Connections may use the whole time, unless the app has something to clean up after them. */
const CONNECTIONS_SHARE = 0.8
const LEAVE_SHARE = 0.5
/** 200 reconnecting clients a second. */
const LEAVE_GAP_MS = 5

interface How {
  readonly patient: boolean
  readonly hasCleanUp: boolean
  /** Other replicas serve on, even if this one stops. */
  readonly hasPeers?: boolean
}

export function planDrain(nowMs: number, timeoutMs: number, how: How): DrainPlan {
  const usableMs = timeoutMs - Math.min(MARGIN_MS, timeoutMs * MARGIN_SHARE)
  return {
    startedAtMs: nowMs,
    idleGraceMs: (keepAliveTimeoutMs) =>
      how.patient ? (keepAliveTimeoutMs || KEEP_ALIVE_MS) + PATIENT_MARGIN_MS : Math.min(IDLE_GRACE_MS, usableMs * IDLE_GRACE_SHARE),
    answersUntilMs: nowMs + Math.min(ANSWERS_MS, usableMs * ANSWERS_SHARE),
    nextPollMs: how.patient ? PATIENT_NEXT_POLL_MS : NEXT_POLL_MS,
    lastWordMs: how.patient || how.hasPeers ? Math.min(LAST_WORD_MS, usableMs * LAST_WORD_SHARE) : 0,
    rawUntilMs: nowMs + usableMs * RAW_SHARE,
    connectionsUntilMs: nowMs + usableMs * (how.hasCleanUp ? CONNECTIONS_SHARE : 1),
    endAtMs: nowMs + usableMs,
    leaveWindowMs: (count) => Math.min(usableMs * LEAVE_SHARE, count * LEAVE_GAP_MS),
  }
}
