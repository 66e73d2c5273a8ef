/** Deeper than any option. */
const MAX_DEPTH = 10
/** Keys and items in all; a hostile file must not make the primary work for minutes. */
const MAX_PARTS = 20_000

export type Plain = Readonly<Record<string, unknown>>

/**
 * A copy that is safe to look at: objects without a prototype, lists and simple values. Whatever else was given (a function, a date, a
 * getter that throws, a circle, a key that would become a prototype) becomes a symbol whose description tells people what it is; no kind of option accepts a symbol.
 */
export function plainCopy(raw: unknown): unknown {
  const above: object[] = []
  let parts = 0

  function copy(value: unknown): unknown {
    if (typeof value === 'function') return Symbol('a function')
    if (typeof value === 'symbol') return Symbol('a symbol')
    if (typeof value === 'bigint') return Symbol(`${value}n`)
    if (typeof value !== 'object' || value === null) return value
    if (above.includes(value)) return Symbol('an object that contains itself')
    if (above.length >= MAX_DEPTH) return Symbol('an object nested too deep')
    above.push(value)
    try {
      return Array.isArray(value) ? copyList(value) : copyObject(value)
    } catch {
      return Symbol('an object that cannot be read')
    } finally {
      above.pop()
    }
  }

  function copyList(list: readonly unknown[]): unknown {
    if (parts + list.length > MAX_PARTS) return Symbol(`a list of ${list.length} items`)
    parts += list.length
    // By index: an iteration would pass over the holes of a sparse list.
    return Array.from({ length: list.length }, (_, index) => copyPart(list, index))
  }

  function copyObject(object: object): unknown {
    const prototype = Object.getPrototypeOf(object) as object | null
    // Not `=== Object.prototype`: an object from another realm is as good.
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return Symbol(`an instance of ${nameOfClass(prototype)}`)
    const names = Object.keys(object)
    if (names.includes('__proto__')) return Symbol('an object with a key __proto__')
    if (parts + names.length > MAX_PARTS) return Symbol(`an object of ${names.length} fields`)
    parts += names.length
    const plain: Record<string, unknown> = Object.create(null)
    for (const name of names) plain[name] = copyPart(object, name)
    return plain
  }

  function copyPart(whole: object, key: string | number): unknown {
    try {
      return copy(Reflect.get(whole, key))
    } catch {
      return Symbol('a getter that throws')
    }
  }

  return copy(raw)
}

export function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function nameOfClass(prototype: object): string {
  const { constructor } = prototype
  return typeof constructor === 'function' && constructor.name !== '' ? constructor.name.slice(0, 40) : 'a class'
}
