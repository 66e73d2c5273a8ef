import type { Flags } from '../../config/flags.ts'
import type { ExitCode } from '../exit-code.ts'
import { loadSettings } from '../load-settings.ts'
import type { CommandContext } from './context.ts'

export interface StartFlags extends Omit<Flags, 'entry' | 'args'> {
  readonly config?: string
}

export async function start(context: CommandContext, entry: string | undefined, { config, ...rest }: StartFlags): Promise<ExitCode> {
  const { folder, environment, appArgs, outside, terminal } = context
  const settings = await loadSettings({
    folder,
    environment,
    configFile: config,
    flags: { ...rest, entry, args: appArgs },
    capacity: await outside.readCapacity(),
    isTerminal: terminal.isTerminal,
  })
  return await outside.runSupervisor(settings)
}
