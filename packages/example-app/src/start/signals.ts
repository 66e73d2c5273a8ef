import { constants } from 'node:os'

/** One Ctrl-C can arrive twice, from the terminal and from npm. A signal after this time is a person in a hurry. */
const sameKeystrokeMs = 1_000

/** The signals that were sent to this process, once per intention. */
export class Signals {
  #lastAt = -Infinity
  #first: NodeJS.Signals | null = null
  readonly #listeners: ((signal: NodeJS.Signals) => void)[] = []

  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => this.receive(signal))
    // The terminal was closed. To a supervisor SIGHUP would mean "reload".
    process.on('SIGHUP', () => this.receive('SIGTERM'))
  }

  /** `null` until somebody asked this process to end. */
  get first(): NodeJS.Signals | null {
    return this.#first
  }

  onSignal(listener: (signal: NodeJS.Signals) => void): void {
    this.#listeners.push(listener)
  }

  receive(signal: NodeJS.Signals): void {
    const now = performance.now()
    if (now - this.#lastAt < sameKeystrokeMs) return
    this.#lastAt = now
    this.#first ??= signal
    for (const listener of this.#listeners) listener(signal)
  }
}

/** What a shell reports for a process that a signal ended. */
export const exitCodeOf = (signal: NodeJS.Signals | null): number => 128 + (signal ? constants.signals[signal] : 0)
