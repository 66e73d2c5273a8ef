import type { Control, Logger } from '../primary/ports.ts'
import { createApi } from './api-server.ts'
import { ownerRoutes, readRoutes } from './routes.ts'
import { keepSocketFile } from './socket-keeper.ts'

/** People and their tools; a page of them open at once is plenty. */
const MAX_CONNECTIONS = 16

export interface ControlServerOptions {
  /** Absolute path of the Unix socket. Its folder is made if need be, readable by our user alone. */
  readonly path: string
  readonly control: Control
  readonly log: Logger
}

export interface ControlServer {
  readonly path: string
  /** Stops listening, removes the socket if it is still ours, ends event streams; requests under way get half a second. */
  close(): Promise<void>
}

/**
 * Serves the control API over a Unix socket (mode 0600).
 * Throws SM_CONTROL_BUSY when a live supervisor has the path, SM_OPTION_INVALID when the path cannot be used.
 */
export async function openControlServer({ path, control, log }: ControlServerOptions): Promise<ControlServer> {
  const api = createApi({ routes: [...readRoutes, ...ownerRoutes], control, log, maxConnections: MAX_CONNECTIONS })
  const socketFile = await keepSocketFile(api.server, path, log)
  return {
    path,
    async close() {
      await socketFile.release()
      await api.close()
    },
  }
}
