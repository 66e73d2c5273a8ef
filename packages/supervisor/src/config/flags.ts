import { resolvePath } from './path.ts'
import { table } from './table.ts'
import type { Path } from './values.ts'

/** What the command line of `start` gives, as text. */
export interface Flags {
  readonly entry?: string | undefined
  readonly args?: readonly string[] | undefined
  readonly min?: string | undefined
  readonly max?: string | undefined
  readonly shadow?: boolean | undefined
  readonly control?: string | undefined
  readonly admin?: string | undefined
  readonly log?: string | undefined
}

type RawOptions = Readonly<Record<string, unknown>>

/** The flags in the shape of a config file. Paths of a command line are seen from the folder it was typed in. */
export function optionsFromFlags(flags: Flags, workingFolder: string): RawOptions {
  const { entry, args, min, max, shadow, control, admin, log } = flags
  const workers = { ...(min === undefined ? {} : { min: numberIn(min) }), ...(max === undefined ? {} : { max: numberIn(max) }) }
  return {
    ...(entry === undefined ? {} : { entry: pathIn(workingFolder, entry) }),
    ...(args === undefined || args.length === 0 ? {} : { args }),
    ...(Object.keys(workers).length === 0 ? {} : { workers }),
    ...(shadow ? { scaling: { mode: 'shadow' } } : {}),
    ...(control === undefined ? {} : { control: { socket: pathIn(workingFolder, control) } }),
    ...(admin === undefined ? {} : { admin: { listen: admin === 'off' ? false : admin } }),
    ...(log === undefined ? {} : { log }),
  }
}

/** The options of the file with those of the flags over them, one level into groups. Never throws; what is wrong stays wrong for `resolveOptions`. */
export function mergeOptions(file: unknown, flags: RawOptions): unknown {
  if (file === undefined) return flags
  if (!isObject(file)) return file
  try {
    const merged = withoutPrototype(file)
    for (const [name, value] of Object.entries(flags)) {
      const inFile = merged[name]
      if (!isObject(value)) define(merged, name, value)
      else if (inFile === undefined) define(merged, name, value)
      else if (isObject(inFile)) define(merged, name, Object.assign(withoutPrototype(inFile), value))
    }
    return merged
  } catch {
    // Something in the file cannot be read. Who resolves it says so.
    return file
  }
}

/** `--max 0`, if the value of this option was given by a flag; else null. */
export function flagOf(path: string, flags: Flags): string | null {
  const { flag } = Object.hasOwn(table, path) ? table[path as Path] : {}
  if (path === 'entry') return flags.entry === undefined ? null : `the entry ${JSON.stringify(flags.entry)}`
  const name = flag?.replace(/^--/, '') as keyof Flags | undefined
  if (name === undefined || !Object.hasOwn(flags, name)) return null
  const value = flags[name]
  return value === undefined || value === false ? null : value === true ? `--${name}` : `--${name} ${String(value)}`
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Getters stay getters, and a key such as `__proto__` stays a key. */
function withoutPrototype(source: object): Record<string, unknown> {
  return Object.create(
    Object.getPrototypeOf(source) === Object.prototype ? null : Object.getPrototypeOf(source),
    Object.getOwnPropertyDescriptors(source),
  )
}

/** Also over a getter or a frozen field. */
function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true })
}

/** Digits become a number; all else stays the text it is, so that the fault shows what was typed. */
function numberIn(text: string): unknown {
  return /^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : text
}

/** An empty path stays empty, and so wrong. */
function pathIn(folder: string, path: string): string {
  return path === '' ? path : resolvePath(folder, path)
}
