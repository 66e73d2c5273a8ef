import { setTimeout as pause } from 'node:timers/promises'

const LOOK_EVERY_MS = 20

/** Asks until there is an answer; after the time limit, throws and says what was waited for. */
export async function until<T>(what: string | (() => string), limitMs: number, ask: () => Promise<T | null> | T | null): Promise<T> {
  const endMs = performance.now() + limitMs
  for (;;) {
    const answer = await ask()
    if (answer !== null) return answer
    if (performance.now() > endMs) throw new Error(`waited ${limitMs / 1000} s in vain: ${typeof what === 'string' ? what : what()}`)
    await pause(LOOK_EVERY_MS)
  }
}

/** The promise, or an error that says what did not come in time. */
export async function within<T>(what: string, limitMs: number, promise: Promise<T>): Promise<T> {
  const timer = Promise.withResolvers<never>()
  const timeout = setTimeout(() => timer.reject(new Error(`waited ${limitMs / 1000} s in vain: ${what}`)), limitMs)
  try {
    return await Promise.race([promise, timer.promise])
  } finally {
    clearTimeout(timeout)
  }
}
