import cluster from 'node:cluster'
import type { StickyBy } from '../policy/session-key.ts'
import type { ReplicaSettings } from './peers.ts'
import type { RedisSettings } from './redis-adapter.ts'

export interface WorkerSettings {
  readonly role: 'worker' | 'spare'
  readonly readyWhen: 'listening' | 'ready'
  readonly tickMs: number
  readonly listen: 'own' | 'dealt' | 'cluster'
  readonly workerId: number
  /** What ties clients to workers, besides Socket.IO's own ids. */
  readonly sticky: StickyBy | null
  /** Networks of the proxies that are believed. */
  readonly trustedProxies: readonly string[]
  /** How this worker's database connections are named; null where nobody limits them. */
  readonly connectionName: string | null
  /** Where all replicas meet; null where this one is alone. */
  readonly redis: RedisSettings | null
  /** What workers of this fleet reach each other with; null where they cannot. */
  readonly neighbours: { readonly secret: string; readonly socketFolder: string } | null
  /** What workers of other replicas reach this one with; null where they do not. */
  readonly replica: ReplicaSettings | null
}

const DEFAULT_TICK_MS = 1000
const NAMES = [
  'STATIONMASTER_ROLE',
  'STATIONMASTER_READY_WHEN',
  'STATIONMASTER_TICK_MS',
  'STATIONMASTER_LISTEN',
  'STATIONMASTER_SECRET',
  'STATIONMASTER_SOCKET_FOLDER',
  'STATIONMASTER_STICKY',
  'STATIONMASTER_TRUSTED_PROXIES',
  'STATIONMASTER_CONNECTION_NAME',
  'STATIONMASTER_REDIS',
  'STATIONMASTER_REPLICA',
] as const

/**
 * What the primary wants of this process, or null if it is not a supervised worker. The variables are taken away, so that the processes
 * and threads which the app starts do not believe to be supervised.
 */
export function takeSettings(): WorkerSettings | null {
  const [role, readyWhen, tickMs, listen, secret, socketFolder, sticky, trustedProxies, connectionName, redis, replica] = NAMES.map((name) => {
    const value = process.env[name]
    delete process.env[name]
    return value
  })
  if ((role !== 'worker' && role !== 'spare') || !cluster.isWorker || !process.send) return null
  return {
    role,
    readyWhen: readyWhen === 'ready' ? 'ready' : 'listening',
    tickMs: Number(tickMs) > 0 ? Number(tickMs) : DEFAULT_TICK_MS,
    listen: listen === 'cluster' || listen === 'dealt' ? listen : 'own',
    workerId: Number(process.env['STATIONMASTER_WORKER_ID']),
    sticky: sticky ? (JSON.parse(sticky) as StickyBy) : null,
    trustedProxies: trustedProxies ? trustedProxies.split(',') : [],
    connectionName: connectionName || null,
    redis: redis ? (JSON.parse(redis) as RedisSettings) : null,
    neighbours: secret && socketFolder ? { secret, socketFolder } : null,
    replica: replica ? (JSON.parse(replica) as ReplicaSettings) : null,
  }
}
