import { StationmasterError } from '../errors.ts'
import { type Fault, notAllowed, problem } from './fault.ts'
import { type Flags, flagOf } from './flags.ts'
import { faultsOfPlatform } from './platform.ts'
import { type Reading, readOptions } from './read.ts'
import { contradictions } from './rules.ts'
import { type Settings, type Surroundings, settingsOf } from './settings.ts'
import { table } from './table.ts'
import type { Path } from './values.ts'

export interface ResolveContext extends Surroundings {
  /** The config file as people know it, to name it in what is wrong with it. */
  readonly file?: string | undefined
  /** The flags that were merged into the options, for the same reason. */
  readonly flags?: Flags | undefined
}

/** What Linux has room for in the path of a Unix socket. */
const MAX_SOCKET_PATH_BYTES = 107

/** More lines than this are no help, and a hostile file could cause any number. */
const MAX_LINES = 100

export type Inspection =
  | { readonly settings: Settings; readonly faults: readonly [] }
  | { readonly settings: null; readonly faults: readonly Fault[] }

/** Understands the options, or tells everything that is wrong with them. Never throws. */
export function inspectOptions(raw: unknown, context: ResolveContext): Inspection {
  const reading = readOptions(raw, context.environment)
  const alone = [...reading.faults, ...missing(reading), ...faultsOfPlatform(context.environment)]
  // Rules look at several options at once and would only echo what is wrong with one of them.
  const faults = alone.length > 0 ? alone : contradictions(reading.values)
  if (faults.length > 0) return { settings: null, faults: faults.map((fault) => fromEnvironment(fault, reading)) }
  const settings = settingsOf(reading, context)
  const long = tooLong(settings)
  return long ? { settings: null, faults: [long] } : { settings, faults: [] }
}

/**
 * Understands the options.
 *
 * @throws StationmasterError `SM_OPTION_INVALID`; its message has one line for each fault, with its path, the value and what was expected.
 */
export function resolveOptions(raw: unknown, context: ResolveContext): Settings {
  const { settings, faults } = inspectOptions(raw, context)
  if (settings) return settings
  const lines = faults.slice(0, MAX_LINES).map((fault) => lineOf(fault, context))
  if (faults.length > MAX_LINES) lines.push(`… and ${faults.length - MAX_LINES} more.`)
  const message = lines.length === 1 ? (lines[0] as string) : [`${faults.length} faults in the options:`, ...lines].join('\n  ')
  throw new StationmasterError('SM_OPTION_INVALID', 'option', message)
}

/** One fault as one line: its source, its path, the value, and what was expected. */
export function lineOf(fault: Fault, { file, flags }: Pick<ResolveContext, 'file' | 'flags'>): string {
  const flag = flags === undefined ? null : flagOf(fault.path, flags)
  const end = /[.?]$/.test(fault.problem) ? '' : '.'
  if (flag !== null) return `${flag} ${fault.problem}${end}`
  const isVariable = /^[A-Z_]+$/.test(fault.path)
  const source = file === undefined || isVariable ? '' : `${file}: `
  const where = fault.path === '' ? 'the options' : fault.path
  return `${source}${where}${fault.shown === null ? '' : `: ${fault.shown}`} ${fault.problem}${end}`
}

function missing({ values, faults }: Reading): Fault[] {
  if (values.entry !== null || faults.some(({ path }) => path === 'entry' || path === '')) return []
  return [problem('entry', `is missing; expected ${table.entry.kind.expected}`)]
}

/** Who wrote nothing into `redis.url` must learn that `REDIS_URL` was taken for it. */
function fromEnvironment(fault: Fault, { fromEnvironment: borrowed }: Reading): Fault {
  const variable = borrowed.has(fault.path) ? table[fault.path as Path].environment : undefined
  return variable === undefined ? fault : { ...fault, path: variable, problem: `${fault.problem}; it is taken for ${fault.path}` }
}

function tooLong({ control }: Settings): Fault | null {
  const bytes = new TextEncoder().encode(control.socket).length
  if (bytes <= MAX_SOCKET_PATH_BYTES) return null
  return notAllowed('control.socket', control.socket, `a path of at most ${MAX_SOCKET_PATH_BYTES} bytes (this one has ${bytes}), such as one in /tmp`)
}
