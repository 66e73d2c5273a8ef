import { StationmasterError } from '../errors.ts'
import { MOST_CUSTOM_SIGNALS, isBuiltIn, isSignalName } from '../policy/custom-signals.ts'
import { complain } from './complain.ts'

/** A value, or how to find it out; null (or a number that is none) where it is not known now. */
export type SignalSource = number | null | (() => number | null)

/** What the app says of itself, for the reports. */
export class AppSignals {
  readonly #sources = new Map<string, SignalSource>()
  readonly #failed = new Set<string>()

  set(name: string, source: SignalSource): void {
    const fault = faultOf(name, source)
    if (fault !== null) throw new StationmasterError('SM_OPTION_INVALID', 'application', fault)
    if (!this.#sources.has(name) && this.#sources.size >= MOST_CUSTOM_SIGNALS) {
      const message = `reportSignal("${name}"): there are ${MOST_CUSTOM_SIGNALS} signals already; use a fixed set of names.`
      throw new StationmasterError('SM_OPTION_INVALID', 'application', message)
    }
    this.#sources.set(name, source)
  }

  /** All that is known now. */
  read(): Record<string, number> {
    const known: Record<string, number> = {}
    for (const [name, source] of this.#sources) {
      const value = typeof source === 'function' ? this.#ask(name, source) : source
      if (value !== null && Number.isFinite(value)) known[name] = value
    }
    return known
  }

  /** A report must not fail, nor stderr fill, because of one signal. */
  #ask(name: string, source: () => number | null): number | null {
    try {
      return source()
    } catch (error) {
      if (!this.#failed.has(name)) complain(`the function of the signal "${name}" failed, so its value is not known:`, error)
      this.#failed.add(name)
      return null
    }
  }
}

function faultOf(name: unknown, source: unknown): string | null {
  if (typeof name !== 'string' || !isSignalName(name))
    return `reportSignal(${JSON.stringify(name)}): expected a name of letters, digits and _ that begins with a letter, such as "jobs".`
  if (isBuiltIn(name)) return `reportSignal("${name}"): this signal is measured already; choose another name.`
  const isSource = source === null || typeof source === 'number' || typeof source === 'function'
  return isSource ? null : `reportSignal("${name}"): expected a number, null, or a function that answers one, and not ${typeof source}.`
}
