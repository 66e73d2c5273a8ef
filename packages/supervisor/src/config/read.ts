import { isSignalName } from '../policy/custom-signals.ts'
import type { Trigger } from '../policy/settings.ts'
import { type Fault, asStep, faultsOf, notAllowed, problem } from './fault.ts'
import type { Kind } from './kind.ts'
import { isPlain, plainCopy } from './plain.ts'
import { presetNames, presets } from './presets.ts'
import type { Row } from './row.ts'
import { customSignal, signalNames } from './rows-scaling.ts'
import { nearest, unknownName } from './suggest.ts'
import { paths, table } from './table.ts'
import { type Tree, tree } from './tree.ts'
import type { Path, Preset, Side, Values } from './values.ts'

/** Tells an editor how to help with a file of JSON. */
export const SCHEMA_KEY = '$schema'

export type Environment = Readonly<Record<string, string | undefined>>

export interface Reading {
  readonly values: Values
  /** Triggers on signals that the application reports itself. */
  readonly custom: Readonly<Record<Side, Readonly<Record<string, Trigger>>>>
  /** Options that took their value from an environment variable. */
  readonly fromEnvironment: ReadonlySet<string>
  /** Options that somebody gave a value: not by default and not by a preset. */
  readonly given: ReadonlySet<string>
  readonly faults: readonly Fault[]
}

/** Understands every option by itself; what they mean together is for `rules.ts`. Never throws. */
export function readOptions(raw: unknown, environment: Environment): Reading {
  const values: Record<string, unknown> = {}
  const custom: Record<Side, Record<string, Trigger>> = { up: {}, down: {} }
  const fromEnvironment = new Set<string>()
  const allGiven = new Set<string>()
  const faults: Fault[] = []
  const customKinds = new Map<string, { kind: Kind<Trigger | null>; into: Record<string, Trigger> }>()
  for (const side of ['up', 'down'] as const) customKinds.set(`scaling.${side}.`, { kind: customSignal(side), into: custom[side] })

  function readGroup(group: Tree, prefix: string, value: unknown): void {
    const path = prefix.slice(0, -1)
    if (value !== undefined && !isPlain(value)) faults.push(notAllowed(path, value, `an object with ${listed(group)}`))
    const given = isPlain(value) ? value : {}
    for (const name of Object.keys(given)) if (!group.has(name) && prefix + name !== SCHEMA_KEY) readUnknown(group, prefix, name, given[name])
    for (const [name, below] of group) {
      // A file of JSON may have a key such as `__proto__`; only names of our own table are looked up.
      const part = Object.hasOwn(given, name) ? given[name] : undefined
      if (typeof below === 'string') readOption(below, part)
      else readGroup(below, `${prefix}${name}.`, part)
    }
  }

  function readOption(path: Path, copied: unknown): void {
    const given = path === 'scaling.policy' ? (ownPolicy ?? copied) : copied
    const row: Row<unknown> = table[path]
    const variable = row.environment === undefined ? undefined : environment[row.environment]
    const borrowed = given === undefined && variable !== undefined && variable !== '' && suits(row, variable)
    const value = borrowed ? variable : given === undefined ? (preset[path] ?? row.initial) : completed(given, preset[path])
    if (borrowed) fromEnvironment.add(path)
    if (given !== undefined) allGiven.add(path)
    values[path] = value === undefined ? null : parse(row.kind, value, path, row.secret === true)
  }

  function readUnknown(group: Tree, prefix: string, name: string, value: unknown): void {
    const signals = customKinds.get(prefix)
    if (!signals || !isCustomSignal(name)) {
      const advice = unknownName(name, [...group.keys()], paths, prefix)
      faults.push(problem(prefix === '' ? asStep(name).replace(/^\./, '') : prefix.slice(0, -1) + asStep(name), `is not an option; ${advice}`))
      return
    }
    const trigger = parse(signals.kind, value, prefix + name, false)
    if (trigger) signals.into[name] = trigger
  }

  function parse<T>(kind: Kind<T>, value: unknown, path: string, secret: boolean): T | null {
    const result = kind.schema.safeParse(value)
    if (result.success) return result.data
    faults.push(...faultsOf(result.error.issues, value, path, secret))
    return null
  }

  const plain = plainCopy(raw)
  const preset = presetIn(plain)
  const ownPolicy = policyIn(raw)
  readGroup(tree, '', plain)
  return { values: values as unknown as Values, custom, fromEnvironment, given: allGiven, faults }
}

function presetIn(options: unknown): (typeof presets)[Preset] {
  const scaling = isPlain(options) ? options['scaling'] : undefined
  const chosen = isPlain(scaling) ? scaling['preset'] : undefined
  return presets[presetNames.find((name) => name === chosen) ?? 'seed']
}

/** What is left out of a trigger is the preset's, not the table's. */
function completed(given: unknown, preset: unknown): unknown {
  return isPlain(given) && isPlain(preset) ? { ...preset, ...given } : given
}

/** The one function that is an option; no copy of the options holds it. */
function policyIn(options: unknown): unknown {
  try {
    const policy = (options as { scaling?: { policy?: unknown } } | null | undefined)?.scaling?.policy
    return typeof policy === 'function' ? policy : undefined
  } catch {
    return undefined // what cannot be read is told by its copy
  }
}

function suits(row: Row<unknown>, variable: string): boolean {
  return !row.ignoresForeign || row.kind.schema.safeParse(variable).success
}

/** A name that is nearly one of ours is a slip of the pen, not a signal of the application. */
function isCustomSignal(name: string): boolean {
  return isSignalName(name) && nearest(name, signalNames) === null
}

function listed(group: Tree): string {
  const names = [...group.keys()]
  return names.length > 5 ? `${names.slice(0, 5).join(', ')} …` : names.join(', ')
}
