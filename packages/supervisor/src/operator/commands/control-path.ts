import path from 'node:path'
import { type ControlClient, DEFAULT_CONTROL_SOCKET, connectControl } from '../control-client.ts'
import type { CommandContext } from './context.ts'

export interface ControlFlag {
  readonly control?: string
}

/** The supervisor that a command talks to: `--control`, or the socket that the config file here names, or the standard one. */
export async function connect({ folder }: CommandContext, { control }: ControlFlag): Promise<ControlClient> {
  return connectControl(path.resolve(folder, control ?? (await configuredSocket(folder)) ?? DEFAULT_CONTROL_SOCKET))
}

/** A config file that is broken must not keep anybody from a supervisor that runs. */
async function configuredSocket(folder: string): Promise<string | null> {
  try {
    const { findConfigFile, loadConfigFile } = await import('../config-file.ts')
    const file = await findConfigFile(folder)
    const options = file === null ? null : ((await loadConfigFile(file)) as { control?: { socket?: unknown } } | null)
    const socket = options?.control?.socket
    return typeof socket === 'string' && socket !== '' ? path.resolve(folder, socket) : null
  } catch {
    return null
  }
}
