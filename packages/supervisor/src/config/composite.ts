import { type Fault, type Field, type Kind, type Parsed, ownFields, right, within, wrong } from './kind.ts'
import { unknownOption } from './suggest.ts'

/** A value, or `false` or `null` for none. */
export function orNone<T>(kind: Kind<T>): Kind<T | null> {
  const { fromText } = kind
  const expected = `${kind.expected}, or false`
  const textToValue = fromText && ((text: string): unknown => (text === 'false' || text === 'off' ? false : fromText(text)))
  return {
    expected,
    unit: kind.unit,
    schema: { anyOf: [kind.schema, { enum: [false, null] }] },
    fromText: textToValue,
    parse: (value) => (value === false || value === null ? right(null) : retold(kind.parse(value), kind.expected, expected)),
  }
}

/** A word that stands for something, or a value. */
export function wordOr<const Word extends string, T>(word: Word, kind: Kind<T>): Kind<Word | T> {
  const expected = `"${word}" or ${kind.expected}`
  return {
    ...kind,
    expected,
    schema: { anyOf: [{ const: word }, kind.schema] },
    parse: (value) => (value === word ? right(word) : retold(kind.parse(value), kind.expected, expected)),
  }
}

/** A fault of the value as a whole names all that would have been right; a fault of a part is left alone. */
function retold<T>(parsed: Parsed<T>, from: string, to: string): Parsed<T> {
  if (parsed.ok) return parsed
  const retell = (fault: Fault): Fault => (fault.at === '' && fault.expected === from ? { ...fault, expected: to } : fault)
  return { ok: false, faults: parsed.faults.map(retell) }
}

export function listOf<T>(kind: Kind<T>, what: string, maxLength: number): Kind<readonly T[]> {
  const expected = `a list of at most ${maxLength} ${what}`
  const parse = (value: unknown): Parsed<readonly T[]> => {
    if (!Array.isArray(value) || value.length > maxLength) return wrong(value, expected)
    const faults: Fault[] = []
    const items: T[] = []
    // By index: an iteration with forEach or map would pass over the holes of a sparse list.
    for (let index = 0; index < value.length; index++) collect(kind.parse(value[index]), `[${index}]`, items, faults)
    return faults.length > 0 ? { ok: false, faults } : right(items)
  }
  return { expected, unit: null, schema: { type: 'array', maxItems: maxLength, items: kind.schema }, fromText: null, parse }
}

function collect<T>(parsed: Parsed<T>, at: string, values: T[], faults: Fault[]): void {
  if (parsed.ok) values.push(parsed.value)
  else faults.push(...within(at, parsed.faults))
}

/** An object with these fields and no others. */
export function record<T extends object>(expected: string, fields: { readonly [Name in keyof T]: Field<T[Name]> }): Kind<T> {
  const known = Object.entries<Field<unknown>>(fields)
  const names = known.map(([name]) => name)
  const parse = (value: unknown): Parsed<T> => {
    const given = ownFields(value)
    if (!given) return wrong(value, expected)
    const faults: Fault[] = []
    for (const [name, extra] of given)
      if (!names.includes(name)) faults.push({ at: `.${name}`, value: extra, hidden: true, expected: unknownOption(name, names) })
    const entries: [string, unknown][] = []
    for (const [name, field] of known) {
      const parsed = field.kind.parse(given.get(name) === undefined ? field.initial : given.get(name))
      if (parsed.ok) entries.push([name, parsed.value])
      else faults.push(...within(`.${name}`, parsed.faults))
    }
    // Every name comes from our own table, so nothing foreign can reach the prototype.
    return faults.length > 0 ? { ok: false, faults } : right(Object.fromEntries(entries) as T)
  }
  return { expected, unit: null, schema: recordSchema(known), fromText: null, parse }
}

function recordSchema(fields: readonly (readonly [string, Field<unknown>])[]): Kind<unknown>['schema'] {
  const properties = Object.fromEntries(fields.map(([name, field]) => [name, field.kind.schema]))
  const required = fields.filter(([, field]) => !('initial' in field)).map(([name]) => name)
  return { type: 'object', properties, additionalProperties: false, ...(required.length > 0 ? { required } : {}) }
}
