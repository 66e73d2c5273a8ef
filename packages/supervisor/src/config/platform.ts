import { type Fault, notAllowed } from './fault.ts'
import type { Environment } from './read.ts'

const DRAINING_SECONDS = 'RAILWAY_DEPLOYMENT_DRAINING_SECONDS'
const RAILWAY = ['RAILWAY_ENVIRONMENT_ID', 'RAILWAY_REPLICA_ID']

/** Time kept for the supervisor's own exit: a second, or of a short deadline a fifth. */
const MARGIN_MS = 1000
const MARGIN_RATIO = 0.2

/**
 * Where the platform leaves no time at all, its kill comes when it comes: often some moments late. Half a second is enough for requests
 * that are nearly answered, and too short to be still waiting when a late kill arrives.
 */
const SHORTEST_DEADLINE_MS = 500

const MAX_SECONDS = 86_400

/** Time from the platform's SIGTERM to its SIGKILL, margin taken off; null where there is no platform. */
export function stopDeadlineMs(environment: Environment): number | null {
  const seconds = drainingSeconds(environment)
  if (seconds === null) return null
  const allowedMs = seconds * 1000
  return Math.max(SHORTEST_DEADLINE_MS, Math.round(allowedMs - Math.min(MARGIN_MS, allowedMs * MARGIN_RATIO)))
}

function drainingSeconds(environment: Environment): number | null {
  const text = environment[DRAINING_SECONDS] ?? ''
  if (text !== '') return Number(text)
  // Railway's default: no time between the two signals.
  return RAILWAY.some((name) => (environment[name] ?? '') !== '') ? 0 : null
}

export function faultsOfPlatform(environment: Environment): Fault[] {
  const text = environment[DRAINING_SECONDS] ?? ''
  if (text === '' || (/^\d+(\.\d+)?$/.test(text) && Number(text) <= MAX_SECONDS)) return []
  return [notAllowed(DRAINING_SECONDS, text, `a number of seconds from 0 to ${MAX_SECONDS}`)]
}
