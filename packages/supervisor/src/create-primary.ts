import path from 'node:path'
import { hostname } from 'node:os'
import type { Settings } from './config/settings.ts'
import { stickyBy } from './config/sticky-by.ts'
import { READY_TOO_LATE } from './config/without-effect.ts'
import { StationmasterError } from './errors.ts'
import { planAlone } from './policy/budget-plan.ts'
import { createBackendWatch } from './primary/backend-watch.ts'
import { createUsageReader, readOomKills } from './primary/host.ts'
import { openJournal } from './primary/journal.ts'
import { createMeasurer } from './primary/measure.ts'
import { openToReplicas } from './primary/replica-port.ts'
import type { Coordination, Logger } from './primary/ports.ts'
import { Primary } from './primary/primary.ts'
import { sharedSocketsWork } from './primary/self-test.ts'
import { makeMember } from './replica/member-name.ts'
import { openCoordination, type OpenOptions } from './replica/open.ts'
import { createMask } from './telemetry/mask.ts'
import { createPassage } from './telemetry/passage.ts'

/** Puts together what the fleet of these settings needs of the machine. */
export async function createPrimary(settings: Settings, logger: Logger): Promise<Primary> {
  const usage = createUsageReader()
  const ownSockets = settings.routing.balance !== 'round-robin' && (await sharedSocketsWork())
  if (!ownSockets && settings.routing.balance !== 'round-robin') {
    logger.warn("This Node does not share sockets as expected; node:cluster's round robin serves instead.")
    if (settings.fleet.workers.readyWhen === 'ready') logger.warn(READY_TOO_LATE)
  }
  const stderr = createPassage(process.stderr, (sentence) => logger.warn(sentence))
  const key = `stationmaster:${settings.redis?.key ?? process.env['RAILWAY_SERVICE_ID'] ?? 'replicas'}`
  const member = makeMember(key)
  const replicaId = process.env['RAILWAY_REPLICA_ID'] || `${hostname()}-${process.pid}`
  const connectionPrefix = settings.fleet.database === null ? null : `stationmaster ${member} worker `
  const warn = (text: string): void => logger.warn(text)
  const replica = settings.replica && (await openToReplicas(settings.replica))
  const coordination = coordinate(settings, {
    key,
    member,
    name: replicaId,
    address: replica?.address ?? null,
    census: async () => (await backends?.census()) ?? NOBODY,
    warn,
  })
  const fleet = coordination ? settings.fleet : { ...settings.fleet, database: planAlone(settings.fleet.database) }
  const backends = createBackendWatch({ ...settings.database, prefix: connectionPrefix, entry: settings.app.entry, warn })
  const primary = new Primary({
    launch: {
      app: settings.app,
      // Node's round robin gives connections to whoever listens: a spare could not wait.
      fleet: ownSockets ? fleet : { ...fleet, workers: { ...fleet.workers, spares: 0 } },
      register: new URL(import.meta.url.endsWith('.ts') ? './register.ts' : './register.js', import.meta.url).href,
      replicaId,
      listen: ownSockets ? (settings.routing.engine === 'own' ? 'own' : 'dealt') : 'cluster',
      sticky: stickyBy(settings.routing.sticky),
      trustedProxies: settings.routing.trustedProxies,
      connectionPrefix,
      redis: settings.redis,
      replica: replica && { ...replica.launch, tag: member },
      nodeOptions: process.env['NODE_OPTIONS'] ?? '',
    },
    policy: settings.policy,
    isSticky: settings.routing.sticky !== false && !(ownSockets && settings.routing.engine === 'socket.io-sticky'),
    journal: openJournal(settings.journal, (sentence) => logger.warn(sentence)),
    reportFolder: path.join(path.dirname(settings.control.socket), 'reports'),
    measurer: createMeasurer(),
    usage: () => usage.read(),
    backends,
    coordination,
    oomKills: () => readOomKills(),
    mask: createMask({ ...process.env, ...settings.app.env }).text,
    onStderr: (chunk) => stderr.write(chunk),
  })
  void primary.ended.then(() => stderr.close())
  return primary
}

const NOBODY = { connections: {}, unnamed: 0 }

/** Null: this replica is alone. */
function coordinate({ redis, replica, app }: Settings, options: Omit<OpenOptions, 'url' | 'entry'>): Coordination | null {
  if (redis === null) return null
  try {
    return openCoordination({ ...options, url: redis.url, entry: app.entry })
  } catch (error) {
    // REDIS_URL may be there for something else.
    if (replica !== null || !(error instanceof StationmasterError)) throw error
    options.warn(`This replica is alone: ${error.message}`)
    return null
  }
}
