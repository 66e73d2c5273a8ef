import { replicasOf } from './replicas.ts'
import { leastBudget } from '../policy/budget-plan.ts'
import { type Fault, notAllowed, problem } from './fault.ts'
import { signalNames, triggerWord } from './rows-scaling.ts'
import type { Side, Values } from './values.ts'
import { formatMs } from './units.ts'

/** A report that is up to this many ticks late is no sign of a stuck event loop. */
const LATE_TICKS = 3

const IN_MS = new Set(['p95', 'queueTime', 'eventLoopDelay'])

/** What options mean together. Each fault names the option that is most likely meant to change. */
export function contradictions(values: Values): Fault[] {
  return [...ofWorkers(values), ...ofScaling(values), ...ofTimes(values), ...ofDatabase(values), ...ofEngine(values), ...ofReplica(values)]
}

function ofWorkers(values: Values): Fault[] {
  const { 'workers.min': min, 'workers.max': max, 'workers.spares': spares } = values
  const faults: Fault[] = []
  if (min > max) faults.push(notAllowed('workers.min', min, `at most workers.max (${max})`))
  if (spares !== 'auto' && spares > max) faults.push(notAllowed('workers.spares', spares, `at most workers.max (${max})`))
  return faults
}

function ofScaling(values: Values): Fault[] {
  const faults: Fault[] = []
  for (const name of signalNames) {
    const [up, down] = [values[`scaling.up.${name}`], values[`scaling.down.${name}`]]
    if (!up || !down || down.threshold < up.threshold) continue
    const [below, above] = [down, up].map(({ threshold }) => (IN_MS.has(name) ? formatMs(threshold) : threshold))
    faults.push(notAllowed(pathOf('down', name), below, `less than ${pathOf('up', name)} (${above}), or the fleet would never rest`))
  }
  return [...faults, ...ofSurge(values), ...ofTolerance(values), ...ofQueueTime(values)]
}

/** A signal that nobody is trusted to give would be 0 for ever. */
function ofQueueTime(values: Values): Fault[] {
  const isAsked = values['scaling.up.queueTime'] !== null || values['scaling.down.queueTime'] !== null
  if (!isAsked || values['routing.trustedProxies'].length > 0) return []
  return [problem('routing.trustedProxies', 'is empty; scaling by queueTime needs the proxies that tell it, such as ["private"]')]
}

/** A ratio that would have to be above 1 never is. */
function ofTolerance(values: Values): Fault[] {
  const tolerance = values['scaling.tolerance']
  if (tolerance === 0) return []
  return (['cpu', 'memory', 'eventLoopUtilization'] as const).flatMap((name) => {
    const up = values[`scaling.up.${name}`]
    if (!up || up.threshold * (1 + tolerance) < 1) return []
    return [notAllowed('scaling.tolerance', tolerance, `so little that ${pathOf('up', name)} (${up.threshold}) stays below 1 with it`)]
  })
}

function ofSurge(values: Values): Fault[] {
  const surge = values['scaling.surge']
  if (!surge) return []
  const faults: Fault[] = []
  for (const name of ['eventLoopUtilization', 'queue'] as const) {
    const [threshold, up] = [surge[name], values[`scaling.up.${name}`]]
    if (typeof threshold !== 'number' || !up || threshold >= up.threshold) continue
    faults.push(notAllowed(`scaling.surge.${name}`, threshold, `at least ${pathOf('up', name)} (${up.threshold})`))
  }
  return faults
}

function ofTimes(values: Values): Fault[] {
  const faults: Fault[] = []
  const { 'health.timeout': timeoutMs, 'health.interval': intervalMs, 'health.stuckAfter': stuckAfterMs, 'sampling.interval': tickMs } = values
  if (timeoutMs !== null && timeoutMs > intervalMs)
    faults.push(notAllowed('health.timeout', formatMs(timeoutMs), `at most health.interval (${formatMs(intervalMs)})`))
  if (stuckAfterMs < LATE_TICKS * tickMs)
    faults.push(
      notAllowed('health.stuckAfter', formatMs(stuckAfterMs), `at least ${LATE_TICKS} × sampling.interval (${formatMs(LATE_TICKS * tickMs)})`),
    )
  const { 'restart.backoff': backoffMs, 'restart.backoffMax': backoffMaxMs } = values
  if (backoffMs > backoffMaxMs)
    faults.push(notAllowed('restart.backoff', formatMs(backoffMs), `at most restart.backoffMax (${formatMs(backoffMaxMs)})`))
  return faults
}

function ofDatabase(values: Values): Fault[] {
  const { 'database.budget': budget, 'database.reserve': reserve, 'database.minPerWorker': perWorker, 'workers.min': min } = values
  const replicas = replicasOf(values)
  const needed = leastBudget({ reserve, minPerWorker: perWorker, replicas, minWorkers: min })
  if (budget === null || budget >= needed) return []
  const times = replicas === 1 ? '' : `database.replicas ${replicas} × `
  const sum = `${times}workers.min ${min} × database.minPerWorker ${perWorker} + database.reserve ${reserve}`
  return [notAllowed('database.budget', budget, `at least ${needed} (${sum})`)]
}

/** The library knows the ids of Socket.IO only, and has to accept the connections. */
function ofEngine(values: Values): Fault[] {
  if (values['routing.engine'] === 'own') return []
  const faults: Fault[] = []
  const { 'routing.sticky': sticky, 'routing.balance': balance } = values
  if (typeof sticky === 'object')
    faults.push(notAllowed('routing.sticky', sticky, '"auto" or "socket.io", which is all that @socket.io/sticky knows'))
  if (sticky === false) faults.push(notAllowed('routing.sticky', sticky, '"auto" or "socket.io", or no routing.engine'))
  if (balance === 'round-robin') faults.push(notAllowed('routing.balance', balance, '"shared": with @socket.io/sticky the primary accepts'))
  return faults
}

/** Half of what forwarding between replicas needs would be none, and nobody would notice before a client does. */
function ofReplica(values: Values): Fault[] {
  const { 'replica.listen': listen, 'replica.address': address, 'replica.secret': secret, 'redis.url': redis } = values
  if (listen === null) return address === null ? [] : [problem('replica.address', 'needs replica.listen, the port that it leads to')]
  const faults: Fault[] = []
  for (const [path, { port }] of Object.entries({ 'replica.listen': listen, ...(address ? { 'replica.address': address } : {}) }))
    if (port === 0) faults.push(problem(path, 'needs a port of its own, from 1 to 65535: the other replicas have to know it'))
  if (values['routing.engine'] !== 'own')
    faults.push(problem('replica.listen', 'cannot be kept with routing.engine "socket.io-sticky", which forwards nothing'))
  if (redis === null) faults.push(problem('replica.listen', 'needs redis.url (or REDIS_URL), where replicas learn where the others are'))
  if (secret === null)
    faults.push(
      problem(
        'replica.listen',
        'needs replica.secret (or STATIONMASTER_REPLICA_SECRET), the same in all replicas; `openssl rand -base64 32` prints one',
      ),
    )
  return faults
}

const pathOf = (side: Side, name: string): string => `scaling.${side}.${name}.${triggerWord(side)}`
