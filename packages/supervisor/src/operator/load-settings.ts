import path from 'node:path'
import { type Flags, mergeOptions, optionsFromFlags } from '../config/flags.ts'
import { type ResolveContext, resolveOptions } from '../config/resolve.ts'
import type { Settings } from '../config/settings.ts'
import type { Capacity } from '../policy/sample.ts'
import { findConfigFile, loadConfigFile } from './config-file.ts'

export interface SettingsSource {
  /** The folder the command was typed in. */
  readonly folder: string
  /** `--config`; without it a config file in the folder is found by itself. */
  readonly configFile?: string | undefined
  readonly flags: Flags
  readonly environment: NodeJS.ProcessEnv
  readonly capacity: Capacity
  readonly isTerminal: boolean
}

export interface RawSettings {
  readonly options: unknown
  readonly context: ResolveContext
}

/** Config file and flags, put together and not yet checked. Throws SM_CONFIG_UNREADABLE. */
export async function gatherOptions({ folder, configFile, flags, ...surroundings }: SettingsSource): Promise<RawSettings> {
  const file = configFile === undefined ? await findConfigFile(folder) : path.resolve(folder, configFile)
  const fromFile = file === null ? undefined : await loadConfigFile(file)
  const options = mergeOptions(fromFile, optionsFromFlags(flags, folder))
  const baseFolder = file === null ? folder : path.dirname(file)
  const context = { ...surroundings, baseFolder, workingFolder: folder, flags, ...(file === null ? {} : { file: path.relative(folder, file) }) }
  return { options, context }
}

/** Throws a StationmasterError with a sentence for each thing that is wrong. */
export async function loadSettings(source: SettingsSource): Promise<Settings> {
  const { options, context } = await gatherOptions(source)
  return resolveOptions(options, context)
}
