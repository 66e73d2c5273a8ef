/** Small checks for values of unknown origin. A check that fails throws `Malformed`, which never leaves `wire/`. */

export class Malformed extends Error {}

export type Fields = Readonly<Record<string, unknown>>

export function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Malformed('not an object')
  return value as Fields
}

/** An own field: nothing is taken from a prototype. */
export function fieldOf(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}

export function integerOf(fields: Fields, name: string, min: number, max: number): number {
  const value = fieldOf(fields, name)
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) throw new Malformed(name)
  return value
}

export function finiteOf(fields: Fields, name: string): number {
  const value = fieldOf(fields, name)
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Malformed(name)
  return value
}

/** A finite number that is not negative. */
export function amountOf(fields: Fields, name: string): number {
  const value = finiteOf(fields, name)
  if (value < 0) throw new Malformed(name)
  return value
}

export function booleanOf(fields: Fields, name: string): boolean {
  const value = fieldOf(fields, name)
  if (typeof value !== 'boolean') throw new Malformed(name)
  return value
}

export function textOf(fields: Fields, name: string, maxLength: number): string {
  const value = fieldOf(fields, name)
  if (typeof value !== 'string' || value.length > maxLength) throw new Malformed(name)
  return value
}

export function orNull<Value>(fields: Fields, name: string, read: () => Value): Value | null {
  return fieldOf(fields, name) === null ? null : read()
}
