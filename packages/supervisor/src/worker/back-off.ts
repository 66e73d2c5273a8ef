import type { DatabaseState } from '../wire/messages.ts'

/** The first pause after a failed attempt to connect, and the longest. */
const FIRST_MS = 50
const LONGEST_MS = 1000
/**
 * An attempt that gets no answer at all is not waited for longer than this; then another one may try. With the longest pause, a server that is
 * back is tried again within 2 s.
 */
const ATTEMPT_MS = 1000

/** Characters of an error that other workers are told. */
const LONGEST_MESSAGE = 500

type Outage = Omit<DatabaseState, 'kind' | 'server'>

export interface BackOffEvents {
  /** The pause is over, or the server is back. */
  onOver(): void
  /** What the other workers of this replica should know. */
  share(outage: Outage): void
}

/**
 * After a failed attempt to connect, everybody else in this replica fails at once with the same error until a pause is over; then one may try for
 * all. So a database that is away is not met by a storm when it comes back.
 */
export class BackOff {
  readonly #events: BackOffEvents
  #error: Error | null = null
  #pauseMs = 0
  #triesUntilMs = 0
  #timer: NodeJS.Timeout | null = null

  constructor(events: BackOffEvents) {
    this.#events = events
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
    if (this.#error === null) return
    this.#end()
    this.#events.share({ error: null, pauseMs: 0 })
  }

  failed(error: Error): void {
    this.#triesUntilMs = 0
    this.#error = error
    if (this.#timer) return
    this.#pause(this.#pauseMs * 2)
    const { code = null } = error as NodeJS.ErrnoException
    this.#events.share({ error: { code, message: error.message.slice(0, LONGEST_MESSAGE) }, pauseMs: this.#pauseMs })
  }

  /** What another worker met. */
  heard({ error, pauseMs }: Outage): void {
    if (error === null) {
      this.#end()
      return this.#events.onOver()
    }
    this.#error = Object.assign(new Error(error.message), error.code === null ? {} : { code: error.code })
    this.#pause(Math.max(this.#pauseMs, pauseMs))
  }

  #end(): void {
    this.#triesUntilMs = 0
    this.#error = null
    this.#pauseMs = 0
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
  }

  #pause(pauseMs: number): void {
    this.#pauseMs = Math.min(LONGEST_MS, Math.max(FIRST_MS, pauseMs))
    if (this.#timer) clearTimeout(this.#timer)
    // Half of it is chance, so that the workers do not all try at the same moment: the first to try tells the others how it went.
    const waitMs = this.#pauseMs * (0.5 + Math.random() / 2)
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#events.onOver()
    }, waitMs)
    this.#timer.unref()
  }
}
