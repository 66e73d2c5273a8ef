import { StationmasterError } from '../errors.ts'
import { useClusterAdapter } from './cluster-adapter.ts'
import { complain } from './complain.ts'
import type { SocketIOServer } from './engine-sockets.ts'
import { openRedisAdapter } from './redis-adapter.ts'
import type { WorkerFacade } from './shared-state.ts'

/** The servers of each path, in the order in which they were attached: every worker of the app attaches the same ones. */
const attached = new Map<string, number>()

/**
 * Lets broadcasts reach the clients of all workers: of all replicas through Redis where there is one, else of this replica
 * through the primary.
 */
export function connectWorkers(server: SocketIOServer, { redis, addPool }: Pick<WorkerFacade, 'redis' | 'addPool'>): void {
  const scope = scopeOf(server)
  if (!redis) return useClusterAdapter(server, scope)
  try {
    const { adapter, end } = openRedisAdapter(redis, scope)
    server.adapter(adapter as never)
    addPool({ end })
  } catch (error) {
    // REDIS_URL may be there for something else.
    if (!(error instanceof StationmasterError)) throw error
    complain(`Socket.IO does not use Redis, and broadcasts stay within this replica: ${error.message}`)
    useClusterAdapter(server, scope)
  }
}

/** Adapters know namespaces only, and every server has one called "/": without this a broadcast would reach the clients of all servers. */
function scopeOf(server: SocketIOServer): string {
  const path = (server as SocketIOServer & { path?(): string }).path?.() ?? ''
  const turn = attached.get(path) ?? 0
  attached.set(path, turn + 1)
  return turn === 0 ? path : `${path}#${turn}`
}
