import type { Control, Logger } from '../primary/ports.ts'
import { type AdminServerOptions, openAdminServer } from './admin-server.ts'
import { openControlServer } from './control-server.ts'

export interface OperatorServersOptions {
  /** Absolute path of the control socket. */
  readonly socket: string
  /** Where the admin server listens; null for none. */
  readonly admin: Omit<AdminServerOptions, 'control' | 'log'> | null
  readonly control: Control
  readonly log: Logger
}

/**
 * Opens everything that people reach a supervisor by, or nothing.
 * Throws SM_CONTROL_BUSY, SM_OPTION_INVALID, SM_PORT_IN_USE or SM_LISTEN_REFUSED.
 */
export async function openOperatorServers({ socket, admin, control, log }: OperatorServersOptions): Promise<{ close(): Promise<void> }> {
  const controlServer = await openControlServer({ path: socket, control, log })
  try {
    const adminServer = admin && (await openAdminServer({ ...admin, control, log }))
    if (adminServer) log.info(`the dashboard and the metrics are at ${adminServer.url}`)
    return { close: async () => void (await Promise.all([controlServer.close(), adminServer?.close()])) }
  } catch (error) {
    await controlServer.close()
    throw error
  }
}
