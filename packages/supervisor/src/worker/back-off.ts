/** The first pause after a failed attempt to connect, and the longest: a server that is back is found again within 2 s. */
const FIRST_MS = 50
const LONGEST_MS = 1000
/** An attempt that gets no answer at all is not waited for longer than this; then another one may try. */
const ATTEMPT_MS = 2000

/**
 * After a failed attempt to connect, the others fail at once with the same error until a pause is over; then one may try for all. So a
 * database that is away is not met by a storm when it comes back.
 */
export class BackOff {
  readonly #onOver: () => void
  #error: Error | null = null
  #pauseMs = 0
  #triesUntilMs = 0
  #timer: NodeJS.Timeout | null = null

  constructor(onOver: () => void) {
    this.#onOver = onOver
  }

  /** The error to fail with instead of trying; null for whoever may try. */
  refuse(): Error | null {
    if (this.#error === null) return null
    const nowMs = performance.now()
    if (this.#timer || nowMs < this.#triesUntilMs) return this.#error
    this.#triesUntilMs = nowMs + ATTEMPT_MS
    return null
  }

  succeeded(): void {
    this.#triesUntilMs = 0
    this.#error = null
    this.#pauseMs = 0
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
  }

  failed(error: Error): void {
    this.#triesUntilMs = 0
    this.#error = error
    if (this.#timer) return
    this.#pauseMs = Math.min(LONGEST_MS, Math.max(FIRST_MS, this.#pauseMs * 2))
    // Half of it is chance, so that the workers do not all try at the same moment.
    const waitMs = this.#pauseMs * (0.5 + Math.random() / 2)
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#onOver()
    }, waitMs)
    this.#timer.unref()
  }
}
