import { builtInSignals } from './signals.ts'

/** Signals of the app's own, by names of its own. */

/** As many as one can look at; a name for each user or path would be a leak. */
export const MOST_CUSTOM_SIGNALS = 32

/** What may be a key of `scaling.up`, and is no trap as a key of an object. */
export function isSignalName(name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(name) && !(name in {})
}

export const isBuiltIn = (name: string): boolean => builtInSignals.has(name)
