const HIDDEN = '***'

const SECRET_KEY = /pass(?:word|wd|phrase)?$|secret|token|api[-_]?key|private[-_]?key|access[-_]?key|authorization|cookie|credential/i

/**
 * `scheme://user:password@host`: greedy, so that a password with an @ in it goes whole. The look behind lets it begin only where
 * a word begins: tried at every letter of a long word, it would take a time that grows with the square of its length.
 */
const URL_PASSWORD = /((?<![a-z0-9+.-])[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*):([^\s/"'<>]+)@/gi
/** `password=x` and `"password":"x"`, as in query strings and printed objects. A sentence such as `secret: …` stays readable. */
const ASSIGNED = /((?:pass(?:word|wd|phrase)?|secret|token|api[-_]?key|private[-_]?key|access[-_]?key)(?:=|["']\s*:\s*["']))[^\s"'&,;]+/gi
const BEARER = /\b(bearer|basic)\s+[a-z0-9+/._~=-]{8,}/gi

/** A value that may be a word, such as the `postgres` of a development database, would blot out innocent text. */
const SHORTEST_SECRET = 6
const MAY_BE_A_WORD = /^[a-z]{1,15}$/

/** What a line may hold of a structure that never ends. */
const DEEPEST = 6
const MOST_ENTRIES = 100
const LONGEST_TEXT = 8192

export interface Mask {
  text(text: string): string
  /** A plain copy that is safe to print: bounded, without cycles, without secrets. Never throws. */
  value(value: unknown): unknown
}

/**
 * Hides secrets by the name of their key, by the shape of a URL with a password, and by value: whatever `environment` holds
 * under a secret name is hidden wherever it turns up.
 */
export function createMask(environment: Readonly<Record<string, string | undefined>>): Mask {
  const secrets = secretValues(environment)
  const text = (given: string): string => {
    let masked = given
    for (const secret of secrets) masked = masked.replaceAll(secret, HIDDEN)
    return masked.replace(URL_PASSWORD, `$1:${HIDDEN}@`).replace(ASSIGNED, `$1${HIDDEN}`).replace(BEARER, `$1 ${HIDDEN}`)
  }
  // Masked before it is cut: half a secret has no shape to be known by.
  const short = (given: string): string => cut(text(cut(given, 4 * LONGEST_TEXT)), LONGEST_TEXT)
  return {
    text: short,
    value(value) {
      try {
        return plain(value, short, 0)
      } catch {
        return '[unreadable]'
      }
    },
  }
}

function plain(value: unknown, text: (given: string) => string, depth: number): unknown {
  if (typeof value === 'string') return text(value)
  if (typeof value === 'bigint' || typeof value === 'symbol') return text(String(value))
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (value instanceof Error) return plainError(value, text, depth)
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? undefined : value
  if (depth >= DEEPEST) return '[…]'
  if (Array.isArray(value)) return value.slice(0, MOST_ENTRIES).map((item) => plain(item, text, depth + 1))
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  const copy: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value).slice(0, MOST_ENTRIES)) {
    const hidden = SECRET_KEY.test(key) && item !== null && item !== undefined
    // Defined, not assigned: a key named __proto__ is a key like any other.
    Object.defineProperty(copy, text(key), { value: hidden ? HIDDEN : plain(item, text, depth + 1), enumerable: true, configurable: true })
  }
  return copy
}

function plainError(error: Error & { code?: unknown }, text: (given: string) => string, depth: number): unknown {
  const cause = error.cause === undefined || depth >= DEEPEST ? undefined : plain(error.cause, text, depth + 1)
  return { name: text(error.name), message: text(error.message), code: plain(error.code, text, DEEPEST), cause }
}

function secretValues(environment: Readonly<Record<string, string | undefined>>): string[] {
  const found = new Set<string>()
  for (const [name, value = ''] of Object.entries(environment)) {
    if (SECRET_KEY.test(name)) found.add(value)
    const password = URL.parse(value)?.password ?? ''
    found.add(password)
    found.add(decoded(password))
  }
  // Longest first, or a secret that holds another one would be hidden in part only.
  return [...found].filter((value) => value.length >= SHORTEST_SECRET && !MAY_BE_A_WORD.test(value)).sort((a, b) => b.length - a.length)
}

function decoded(password: string): string {
  try {
    return decodeURIComponent(password)
  } catch {
    return password
  }
}

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length - 1)}…` : text)
