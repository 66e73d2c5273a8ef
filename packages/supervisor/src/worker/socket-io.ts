import type { SocketIOServer } from './engine-sockets.ts'
import { loadOptional } from './optional-package.ts'

/** Lets broadcasts reach the clients of all workers of this replica. */
export function useClusterAdapter(server: SocketIOServer): void {
  const { createAdapter } = loadOptional('@socket.io/cluster-adapter', 'attachSocketIO()') as { createAdapter: () => never }
  server.adapter(createAdapter())
}
