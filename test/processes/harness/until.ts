import { setTimeout as pause } from 'node:timers/promises'

/** A state is looked at this often; no test depends on how often. */
const LOOK_MS = 20
const BOUND_MS = 15_000

type Maybe<Value> = Value | undefined | null | false

/** Looks again and again until there is something to see; after `boundMs` it fails, and tells what it saw instead. */
export async function until<Value>(
  what: string,
  look: () => Maybe<Value> | Promise<Maybe<Value>>,
  options: { boundMs?: number; instead?: () => string } = {},
): Promise<Value> {
  const { boundMs = BOUND_MS, instead = () => 'nothing' } = options
  for (const endAtMs = performance.now() + boundMs; ; await pause(LOOK_MS)) {
    const seen = await look()
    if (seen !== undefined && seen !== null && seen !== false) return seen
    if (performance.now() > endAtMs) throw new Error(`Waited ${boundMs} ms for: ${what}. Seen instead: ${instead()}`)
  }
}

/** A promise with a bound. */
export async function within<Value>(
  what: string,
  promise: Promise<Value>,
  options: { boundMs?: number; instead?: () => string } = {},
): Promise<Value> {
  const { boundMs = BOUND_MS, instead = () => 'nothing' } = options
  const abort = new AbortController()
  const late = pause(boundMs, undefined, { signal: abort.signal, ref: false }).then(() => {
    throw new Error(`Waited ${boundMs} ms for: ${what}. Seen instead: ${instead()}`)
  })
  late.catch(() => {})
  try {
    return await Promise.race([promise, late])
  } finally {
    abort.abort()
  }
}
