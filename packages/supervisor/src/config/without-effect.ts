import type { Settings } from './settings.ts'

/** Of the fallback, whether it was asked for or is all that works. */
export const READY_TOO_LATE =
  'workers.readyWhen "ready" cannot be kept with Node\'s round robin: a worker gets connections as soon as it listens. Let the app listen only when it is ready.'

/** Options that are understood but do nothing yet: better said than silently ignored. */
export function withoutEffect({ routing, fleet }: Settings): string[] {
  const { balance } = routing
  const idle =
    balance === 'reuse-port' || balance === 'least-busy' ? [`routing.balance "${balance}" (it acts as "shared") has no effect in this version.`] : []
  const early = routing.balance === 'round-robin' && fleet.workers.readyWhen === 'ready' ? [READY_TOO_LATE] : []
  return [...idle, ...early]
}
