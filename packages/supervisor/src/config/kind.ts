import * as z from 'zod/mini'
import { unknownName } from './suggest.ts'
import { DURATION, SIZE, readBytes, readMs } from './units.ts'

/** What values an option takes. */
export interface Kind<T> {
  /** Completes the sentence "expected …". */
  readonly expected: string
  readonly schema: z.ZodMiniType<T>
}

/** How zod is told to answer every fault of a value with our own words. */
const saying = (expected: string): { error: () => string } => ({ error: () => expected })

export function wholeNumber(min: number, max: number): Kind<number> {
  const expected = `a whole number from ${min} to ${max}`
  const say = saying(expected)
  return { expected, schema: z.int(say).check(z.minimum(min, say), z.maximum(max, say)) }
}

export function amount(min: number, max: number, expected: string = `a number from ${min} to ${max}`): Kind<number> {
  const say = saying(expected)
  return { expected, schema: z.number(say).check(z.minimum(min, say), z.maximum(max, say)) }
}

/** A value in a unit that only others know. */
export const anyNumber: Kind<number> = { expected: 'a number', schema: z.number(saying('a number')) }

export const ratio: Kind<number> = amount(0, 1, 'a ratio from 0 to 1, such as 0.7 for 70 %')

export const trueOrFalse: Kind<boolean> = { expected: 'true or false', schema: z.boolean(saying('true or false')) }

export function oneOf<const T extends string>(...choices: readonly [T, ...T[]]): Kind<T> {
  const expected = choices.map((choice) => `"${choice}"`).join(' or ')
  return { expected, schema: z.enum(choices, saying(expected)) }
}

/** A value that is told by one look, rather than part by part. */
export function recognised<T>(expected: string, isOne: (value: unknown) => boolean): Kind<T> {
  return { expected, schema: z.custom<T>(isOne, saying(expected)) as unknown as z.ZodMiniType<T> }
}

/** What it does shows only when it is called. */
export function aFunction<T extends (...args: never[]) => unknown>(expected: string): Kind<T> {
  return recognised(expected, (value) => typeof value === 'function')
}

export function exactly<const T extends boolean | string>(value: T): Kind<T> {
  const expected = JSON.stringify(value)
  return { expected, schema: z.literal(value, saying(expected)) }
}

/** A text of a certain form. No form may admit NUL: the operating system would cut the text there. */
export function text(expected: string, pattern: RegExp, maxLength: number = 4096): Kind<string> {
  const say = saying(expected)
  return { expected, schema: z.string(say).check(z.regex(pattern, say), z.maxLength(maxLength, say)) }
}

/** `'30s'`, `'5m'`, or a number of milliseconds. */
export function duration(min: string, max: string): Kind<number> {
  return measure(`a duration from ${min} to ${max} with its unit, such as "30s", or a number of milliseconds`, min, max, DURATION, readMs)
}

/** `'512MB'`, `'1GiB'`, or a number of bytes. */
export function size(min: string, max: string): Kind<number> {
  return measure(`a size from ${min} to ${max} with its unit, such as "512MB", or a number of bytes`, min, max, SIZE, readBytes)
}

function measure(expected: string, min: string, max: string, pattern: RegExp, read: (value: unknown) => number | undefined): Kind<number> {
  const say = saying(expected)
  const [least, most] = [read(min) ?? 0, read(max) ?? 0]
  const notation = z.union([z.string(say).check(z.regex(pattern, say)), z.number(say).check(z.minimum(least, say), z.maximum(most, say))], say)
  const toNumber = z.transform((given: string | number, context) => {
    const value = read(given)
    if (value !== undefined && value >= least && value <= most) return Math.round(value)
    context.issues.push({ code: 'custom', message: expected, input: given })
    return z.NEVER
  })
  return { expected, schema: z.pipe(notation, toNumber) as unknown as z.ZodMiniType<number> }
}

/** A value, or `false` for none. */
export function orFalse<T>(kind: Kind<T>): Kind<T | null> {
  const expected = `${kind.expected}, or false`
  const either = z.union([z.literal(false, saying(expected)), kind.schema], saying(expected))
  return {
    expected,
    schema: z.pipe(
      either,
      z.transform((value) => (value === false ? null : value)),
    ) as unknown as z.ZodMiniType<T | null>,
  }
}

/** What is wrong with a part of the value is told of that part. */
export function orNull<T>(kind: Kind<T>): Kind<T | null> {
  return { expected: `${kind.expected}, or null`, schema: z.nullable(kind.schema) }
}

/** A word that stands for something, or a value. */
export function wordOr<const Word extends string, T>(word: Word, kind: Kind<T>): Kind<Word | T> {
  const expected = `"${word}" or ${kind.expected}`
  return { expected, schema: z.union([z.literal(word, saying(expected)), kind.schema], saying(expected)) }
}

export function anyOf<const T extends readonly Kind<unknown>[]>(expected: string, ...kinds: T): Kind<T[number] extends Kind<infer V> ? V : never> {
  return { expected, schema: z.union(kinds.map((kind) => kind.schema) as never, saying(expected)) }
}

export function listOf<T>(expected: string, kind: Kind<T>, maxLength: number): Kind<readonly T[]> {
  const say = saying(expected)
  return { expected, schema: z.array(kind.schema, say).check(z.maxLength(maxLength, say)) }
}

export function mapOf<T>(expected: string, name: Kind<string>, kind: Kind<T>): Kind<Record<string, T>> {
  return { expected, schema: z.record(name.schema as z.ZodMiniString, kind.schema, saying(expected)) as unknown as z.ZodMiniType<Record<string, T>> }
}

/** One field of an object. */
export interface FieldKind<T> extends Kind<T> {
  readonly optional?: true
}

export function optional<T>(kind: Kind<T>): FieldKind<T | undefined> {
  return { expected: kind.expected, schema: z.optional(kind.schema), optional: true }
}

/** An object with these fields and no others. */
export function fields<T extends object>(expected: string, shape: { readonly [Name in keyof T]-?: Kind<T[Name]> }): Kind<T> {
  const names = Object.keys(shape)
  const schemas = Object.fromEntries(Object.entries<Kind<unknown>>(shape).map(([name, kind]) => [name, kind.schema]))
  // One line for each unknown name: `faults.ts` takes them apart again.
  const error = (issue: { code?: string; keys?: readonly string[] }): string =>
    issue.code === 'unrecognized_keys' ? (issue.keys ?? []).map((name) => unknownName(name, names)).join('\n') : expected
  return { expected, schema: z.strictObject(schemas, { error: error as never }) as unknown as z.ZodMiniType<T> }
}

/** The same notation, read as something else. */
export function as<T, U>(kind: Kind<T>, convert: (value: T) => U): Kind<U> {
  return { expected: kind.expected, schema: z.pipe(kind.schema, z.transform(convert)) as unknown as z.ZodMiniType<U> }
}

/** A kind with one more condition: `wrong` answers what was expected instead, or null. */
export function checked<T>(kind: Kind<T>, wrong: (value: T) => string | null): Kind<T> {
  const check = z.check<T>((payload) => {
    const message = wrong(payload.value)
    if (message !== null) payload.issues.push({ code: 'custom', message, input: payload.value })
  })
  return { expected: kind.expected, schema: kind.schema.check(check) as unknown as z.ZodMiniType<T> }
}
