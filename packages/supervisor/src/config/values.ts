import { type Kind, scalar } from './kind.ts'

export function wholeNumber(min: number, max: number, unit: string | null = null): Kind<number> {
  const about = {
    expected: `a whole number from ${min} to ${max}`,
    unit,
    schema: { type: 'integer', minimum: min, maximum: max },
    fromText: numberFromText,
  }
  return scalar(about, (value) => (Number.isInteger(value) && inRange(value as number, min, max) ? (value as number) : undefined))
}

export function amount(min: number, max: number, unit: string | null = null): Kind<number> {
  const about = { expected: `a number from ${min} to ${max}`, unit, schema: { type: 'number', minimum: min, maximum: max }, fromText: numberFromText }
  return scalar(about, (value) => (typeof value === 'number' && inRange(value, min, max) ? value : undefined))
}

/** A share of a whole. */
export const ratio: Kind<number> = amount(0, 1, 'ratio')

/** A value in a unit that only its signal knows. */
export const anyNumber: Kind<number> = scalar({ expected: 'a number', unit: null, schema: { type: 'number' }, fromText: numberFromText }, (value) =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined,
)

export const trueOrFalse: Kind<boolean> = scalar(
  { expected: 'true or false', unit: null, schema: { type: 'boolean' }, fromText: booleanFromText },
  (value) => (typeof value === 'boolean' ? value : undefined),
)

export function oneOf<const T extends string>(...choices: readonly T[]): Kind<T> {
  const expected = `one of ${choices.map((choice) => `"${choice}"`).join(', ')}`
  const about = { expected, unit: null, schema: { enum: choices }, fromText: asIs }
  return scalar(about, (value) => choices.find((choice) => choice === value))
}

/** A text of a certain form. `what` completes the sentence "expected …". No form admits NUL: the operating system would cut the text there. */
export function text(what: string, pattern: RegExp): Kind<string> {
  const about = { expected: what, unit: null, schema: { type: 'string', pattern: pattern.source }, fromText: asIs }
  return scalar(about, (value) => (typeof value === 'string' && pattern.test(value) && !value.includes('\0') ? value : undefined))
}

/** A text that is not empty, and is short enough to be what it claims to be. */
export function shortText(what: string, maxLength: number): Kind<string> {
  const about = { expected: what, unit: null, schema: { type: 'string', minLength: 1, maxLength }, fromText: asIs }
  const fits = (value: string): boolean => value !== '' && value.length <= maxLength && !value.includes('\0')
  return scalar(about, (value) => (typeof value === 'string' && fits(value) ? value : undefined))
}

const inRange = (value: number, min: number, max: number): boolean => value >= min && value <= max
const asIs = (value: string): unknown => value

/** Digits become a number; everything else stays the text it is, so that the problem shows what was written. */
function numberFromText(value: string): unknown {
  return /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value
}

function booleanFromText(value: string): unknown {
  if (['true', '1', 'yes', 'on'].includes(value)) return true
  if (['false', '0', 'no', 'off'].includes(value)) return false
  return value
}
