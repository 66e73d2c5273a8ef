import type { Command } from '../fleet/command.ts'
import type { FleetSettings } from '../fleet/fleet.ts'
import { PRIMARY_PID } from './orphans.ts'
import type { StickyBy } from '../policy/session-key.ts'
import type { ForkSpec } from './processes.ts'

type Fork = Extract<Command, { kind: 'fork' }>

export interface AppSettings {
  /** Absolute path. */
  readonly entry: string
  readonly args: readonly string[]
  readonly execArgv: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export interface ReplicaLaunch {
  /** Part of the ids of its sessions. No two runs of a supervisor have the same. */
  readonly tag: string
  readonly secret: string
  readonly listen: { readonly host: string; readonly port: number }
}

export interface LaunchContext {
  readonly app: AppSettings
  readonly fleet: FleetSettings
  /** URL of the preload. */
  readonly register: string
  readonly replicaId: string
  /** 'own': workers accept from the primary's sockets; 'dealt': so they do, but for Socket.IO's; 'cluster': Node hands out connections. */
  readonly listen: 'own' | 'dealt' | 'cluster'
  /** What ties clients to workers, besides Socket.IO's own ids. */
  readonly sticky: StickyBy | null
  /** Networks of the proxies whose `X-Request-Start` workers believe. */
  readonly trustedProxies: readonly string[]
  /** Where all replicas meet; null where this one is alone. */
  readonly redis: { readonly url: string; readonly key: string | null } | null
  /** What workers reach each other with; null where they cannot. */
  readonly neighbours: { readonly secret: string; readonly socketFolder: string } | null
  /** What workers of other replicas reach ours with; null where replicas do not forward to each other. */
  readonly replica: ReplicaLaunch | null
  /** What the names of this fleet's database connections begin with; null where nobody limits them. */
  readonly connectionPrefix: string | null
  /** The primary's own NODE_OPTIONS, which workers inherit. */
  readonly nodeOptions: string
}

/** What of a worker's memory limit its JavaScript heap may take: buffers, code and stacks live outside of it. */
const HEAP_SHARE = 0.8
const MB = 1024 * 1024

/** Everything that makes a Node process a worker of this fleet. */
export function forkSpecOf(command: Fork, context: LaunchContext): ForkSpec {
  const { app, fleet, register, replicaId, listen, neighbours } = context
  const heapLimit = `--max-old-space-size=${Math.floor((fleet.workers.memoryLimitBytes * HEAP_SHARE) / MB)}`
  const isLimited = [...app.execArgv, context.nodeOptions].some((text) => text.includes('max-old-space-size') || text.includes('max_old_space_size'))
  return {
    workerId: command.workerId,
    entry: app.entry,
    args: app.args,
    execArgv: ['--import', register, ...(isLimited ? [] : [heapLimit]), ...app.execArgv],
    env: {
      ...app.env,
      STATIONMASTER_WORKER_ID: String(command.workerId),
      STATIONMASTER_WORKER_SLOT: String(command.slot),
      STATIONMASTER_REPLICA_ID: replicaId,
      [PRIMARY_PID]: String(process.pid),
      STATIONMASTER_GENERATION: String(command.generation),
      STATIONMASTER_ROLE: command.role,
      STATIONMASTER_READY_WHEN: fleet.workers.readyWhen,
      STATIONMASTER_TICK_MS: String(fleet.tickMs),
      STATIONMASTER_LISTEN: listen,
      ...(context.sticky ? { STATIONMASTER_STICKY: JSON.stringify(context.sticky) } : {}),
      ...(context.trustedProxies.length > 0 ? { STATIONMASTER_TRUSTED_PROXIES: context.trustedProxies.join(',') } : {}),
      ...(context.connectionPrefix === null ? {} : { STATIONMASTER_CONNECTION_NAME: connectionNameOf(command, context.connectionPrefix) }),
      ...(context.redis ? { STATIONMASTER_REDIS: JSON.stringify(context.redis) } : {}),
      ...(neighbours ? { STATIONMASTER_SECRET: neighbours.secret, STATIONMASTER_SOCKET_FOLDER: neighbours.socketFolder } : {}),
      ...(context.replica ? { STATIONMASTER_REPLICA: JSON.stringify(context.replica) } : {}),
    },
  }
}

/** Tells in `pg_stat_activity` whose connection it is, also after its worker died. PostgreSQL keeps 63 bytes. */
function connectionNameOf({ workerId, slot, generation }: Fork, prefix: string): string {
  return `${prefix}${workerId} slot ${slot} generation ${generation}`
}
