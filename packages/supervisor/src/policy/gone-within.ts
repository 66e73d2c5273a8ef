/** What a database server is set to, as far as it decides how long it keeps the connection of a client that is gone. 0 is off. */
export interface ServerTimeouts {
  /** A Unix socket: no network that could lose a goodbye. */
  readonly isLocal: boolean
  readonly statementTimeoutMs: number
  readonly transactionTimeoutMs: number
  /** How often it looks for its client while a query runs. */
  readonly checkIntervalMs: number
  readonly userTimeoutMs: number
  readonly keepaliveIdleS: number
  readonly keepaliveIntervalS: number
  readonly keepaliveCount: number
}

/** Without a time-out of its own, Linux gives up sending to a peer that says nothing after 15 tries: 15 to 30 minutes. */
const LINUX_GIVES_UP_MS = 30 * 60_000
/** For timers that fire late on a busy server. */
const MARGIN_MS = 1000

/**
 * The longest that a connection of a process which is gone can still be there; null where the settings set no bound. First the server's kernel
 * learns that nobody is there: by the goodbye of ours, or if the network lost it by asking in vain. Then the backend has to look.
 */
export function goneWithinMs(server: ServerTimeouts): number | null {
  const looks = [server.checkIntervalMs, server.statementTimeoutMs, server.transactionTimeoutMs].filter((ms) => ms > 0)
  const knowsMs = server.isLocal ? 0 : kernelKnowsMs(server)
  return looks.length === 0 || knowsMs === null ? null : knowsMs + Math.min(...looks) + MARGIN_MS
}

function kernelKnowsMs({ userTimeoutMs, keepaliveIdleS, keepaliveIntervalS, keepaliveCount }: ServerTimeouts): number | null {
  const askedInVainMs = (keepaliveIdleS + keepaliveIntervalS * keepaliveCount) * 1000
  if (askedInVainMs === 0) return null
  return Math.max(askedInVainMs, userTimeoutMs || LINUX_GIVES_UP_MS)
}
