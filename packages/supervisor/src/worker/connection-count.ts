/** A change is told this late, together with all that follow it meanwhile. */
const TELL_MS = 5
/** A few more or less make no difference: gates have a slack of more than that (`policy/gate.ts`), and short connections come and go all the time. */
const STEP_CONNECTIONS = 2
const STEP_RATIO = 1 / 64

/** Tells the primary how many connections there are, when that has changed enough to matter, and never more than 200 times a second. */
export class ConnectionCount {
  readonly #count: () => number
  readonly #tell: (connections: number) => void
  #told = 0
  #pending = false

  constructor(count: () => number, tell: (connections: number) => void) {
    this.#count = count
    this.#tell = tell
  }

  /** A connection came or went. */
  readonly changed = (): void => {
    if (this.#pending || !this.#isWorthTelling()) return
    this.#pending = true
    setTimeout(() => {
      this.#pending = false
      if (this.#isWorthTelling()) this.tell()
    }, TELL_MS).unref()
  }

  /** Now, changed or not. */
  tell(): void {
    this.#told = this.#count()
    this.#tell(this.#told)
  }

  #isWorthTelling(): boolean {
    return Math.abs(this.#count() - this.#told) > Math.max(STEP_CONNECTIONS, this.#told * STEP_RATIO)
  }
}
