/** A JSON Schema, or a part of one. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** What is wrong with a value, or with a part of it: `at` leads from the value to the part (`.cron`, `[2]`, or nothing). */
export interface Fault {
  readonly at: string
  readonly value: unknown
  /** A fragment that completes the sentence "expected …". */
  readonly expected: string
  /** The value may be a secret, or was never meant for us: it is not to be printed. */
  readonly hidden?: true
}

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly faults: readonly Fault[] }

/** What values an option takes. */
export interface Kind<T> {
  /** Completes the sentence "expected …". */
  readonly expected: string
  readonly unit: string | null
  readonly schema: JsonSchema
  /** How an environment variable or a flag spells the value; null where only a config file can. */
  readonly fromText: ((text: string) => unknown) | null
  readonly parse: (value: unknown) => Parsed<T>
}

/** A kind and what holds where nothing is given. Without `initial` a value must be given. */
export interface Field<T> {
  readonly kind: Kind<T>
  /** In the notation of a config file, so that it reads the same in the documentation. */
  readonly initial?: unknown
}

export function right<T>(value: T): Parsed<T> {
  return { ok: true, value }
}

export function wrong(value: unknown, expected: string, at = ''): Parsed<never> {
  return { ok: false, faults: [{ at, value, expected }] }
}

/** The same faults, seen from the value that contains the faulty one. */
export function within(at: string, faults: readonly Fault[]): Fault[] {
  return faults.map((fault) => ({ ...fault, at: at + fault.at }))
}

/** A kind whose values are right or wrong as a whole. `read` answers undefined for a wrong one. */
export function scalar<T>(about: Omit<Kind<T>, 'parse'>, read: (value: unknown) => T | undefined): Kind<T> {
  const parse = (value: unknown): Parsed<T> => {
    const found = read(value)
    return found === undefined ? wrong(value, about.expected) : right(found)
  }
  return { ...about, parse }
}

/** The own fields of an object, whatever its prototype; null for anything else. */
export function ownFields(value: unknown): ReadonlyMap<string, unknown> | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  return new Map(Object.entries(value))
}
