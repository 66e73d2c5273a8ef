import type * as z from 'zod/mini'
import { isPlain } from './plain.ts'

/** What is wrong with one option. */
export interface Fault {
  /** `workers.max`, `scaling.schedule[0].cron`; empty for the options as a whole. */
  readonly path: string
  /** A whole sentence without its source: what is wrong, and what was expected. */
  readonly problem: string
  /** The value as it is shown, or null where there is none to show. */
  readonly shown: string | null
}

type Issue = z.core.$ZodIssue

/** A fault of a value that was given. */
export function notAllowed(path: string, value: unknown, expected: string, secret: boolean = false): Fault {
  if (value === undefined) return problem(path, `is missing; expected ${expected}`)
  return { path, problem: `is not allowed; expected ${expected}`, shown: secret ? '******' : describe(value) }
}

/** A fault without a value to show. */
export function problem(path: string, sentencePart: string): Fault {
  return { path, problem: sentencePart, shown: null }
}

/** What zod found wrong with the value at `path`, in our words. */
export function faultsOf(issues: readonly Issue[], value: unknown, path: string, secret: boolean): Fault[] {
  const faults = new Map<string, Fault>()
  // One for each path: who breaks a pattern also breaks what builds on it.
  for (const fault of issues.flatMap((issue) => faultsOfIssue(issue, value, path, secret))) if (!faults.has(fault.path)) faults.set(fault.path, fault)
  return [...faults.values()]
}

function faultsOfIssue(issue: Issue, root: unknown, base: string, secret: boolean): Fault[] {
  const path = base + issue.path.map(asStep).join('')
  const value = issue.path.reduce<unknown>((whole, key) => (whole as Record<PropertyKey, unknown> | undefined)?.[key], root)
  if (issue.code === 'unrecognized_keys') {
    const advice = issue.message.split('\n')
    return issue.keys.map((name, index) => problem(path + asStep(name), `is not an option; ${advice[index] ?? ''}`))
  }
  // The value was never meant for us and may be a secret: only its name is told.
  if (issue.code === 'invalid_key') return [problem(path, `is not allowed; expected ${issue.issues[0]?.message ?? issue.message}`)]
  if (issue.code === 'invalid_union') {
    const part = closest(issue.errors)
    if (part) return faultsOf(part, value, path, secret)
  }
  return [notAllowed(path, value, issue.message, secret)]
}

/** The one branch that the value comes closest to; null if it is of none of their sorts, or as close to several. */
function closest(branches: readonly (readonly Issue[])[]): readonly Issue[] | null {
  const similar = branches.filter((branch) => branch.every(isOfAPart))
  const fewest = Math.min(...similar.map((branch) => branch.length))
  const best = similar.filter((branch) => branch.length === fewest)
  return best.length === 1 ? (best[0] as readonly Issue[]) : null
}

/** The value as a whole is of the right sort, so the fault of its part helps more than a list of all sorts. */
function isOfAPart(issue: Issue): boolean {
  return issue.path.length > 0 || issue.code === 'unrecognized_keys'
}

/** `.cron`, `[2]`, or `["odd name"]`. */
export function asStep(key: PropertyKey): string {
  if (typeof key === 'number') return `[${key}]`
  const name = String(key)
  return /^[A-Za-z_$][\w$]{0,60}$/.test(name) ? `.${name}` : `[${shorten(JSON.stringify(name))}]`
}

const MAX_SHOWN = 60

/** A value as people recognise it, in one short line. */
export function describe(value: unknown): string {
  if (typeof value === 'symbol') return value.description ?? 'a symbol'
  if (typeof value === 'string') return shorten(JSON.stringify(withoutPassword(value.slice(0, MAX_SHOWN * 4))))
  if (typeof value !== 'object' || value === null) return String(value)
  return shorten(outline(value))
}

/** Names and simple values only: what lies deeper is rarely the point, and may be a secret. */
function outline(value: object): string {
  const part = (item: unknown): string => (typeof item === 'object' && item !== null ? (isPlain(item) ? '{…}' : '[…]') : describe(item))
  if (Array.isArray(value)) return `[${value.slice(0, MAX_SHOWN).map(part).join(', ')}]`
  const entries = Object.entries(value).slice(0, MAX_SHOWN)
  return entries.length === 0 ? '{}' : `{ ${entries.map(([name, item]) => `${name.slice(0, MAX_SHOWN)}: ${part(item)}`).join(', ')} }`
}

/** A URL may stand where none was expected. */
function withoutPassword(text: string): string {
  return text.replace(/\/\/[^/\s]*@/g, '//******@').replace(/(\/\/[^/\s@]*:)[^/\s@]*$/, '$1******')
}

function shorten(line: string): string {
  return line.length <= MAX_SHOWN ? line : `${line.slice(0, MAX_SHOWN - 1)}…`
}
