import type { Settings } from './settings.ts'
import { stickyBy } from './sticky-by.ts'

/** Of the fallback, whether it was asked for or is all that works. */
export const READY_TOO_LATE =
  'workers.readyWhen "ready" cannot be kept with Node\'s round robin: a worker gets connections as soon as it listens. Let the app listen only when it is ready.'

/** Its users should know what they give away. */
const LIMITS_OF_STICKY =
  'routing.engine "socket.io-sticky": every connection is closed after one response; the session id has to be in the first segment of a request, without TLS; a proxy must not share its connections between clients; bodies pass through the primary; the clients of a worker that hangs or dies wait until they give up.'

/** What is understood but does nothing yet, or less than one might think: better said than silently ignored. */
export function withoutEffect(settings: Settings): string[] {
  const { routing, fleet, replica } = settings
  const { balance } = routing
  const idle =
    balance === 'reuse-port' || balance === 'least-busy' ? [`routing.balance "${balance}" (it acts as "shared") has no effect in this version.`] : []
  const early = routing.balance === 'round-robin' && fleet.workers.readyWhen === 'ready' ? [READY_TOO_LATE] : []
  const spares =
    balance === 'round-robin' && fleet.workers.spares !== 'auto' && fleet.workers.spares > 0
      ? ['workers.spares has no effect with routing.balance "round-robin": Node gives connections to whoever listens, so no worker could wait.']
      : []
  const limits = routing.engine === 'socket.io-sticky' ? [LIMITS_OF_STICKY] : []
  const alone =
    replica !== null && routing.sticky === false
      ? ['replica.listen has no effect with routing.sticky false: no request belongs to one worker more than to another.']
      : []
  return [...idle, ...early, ...spares, ...limits, ...alone, ...ofKeys(settings)]
}

/** What a key ties to one worker stays with it. */
function ofKeys({ routing, fleet, replica }: Settings): string[] {
  const sticky = stickyBy(routing.sticky)
  if (!sticky) return []
  const moves = fleet.rebalance
    ? [
        `routing.rebalance has no effect on clients that routing.sticky knows by their ${sticky.by}: asked to connect again, they come back to their worker.`,
      ]
    : []
  const across =
    replica === null
      ? []
      : [
          `replica.listen passes on Socket.IO sessions only: those whom routing.sticky knows by their ${sticky.by} stay with a worker of the replica that a request comes to.`,
        ]
  return [...moves, ...across]
}
