const LOOK_MS = 20
/** A few more or less make no difference: gates have a slack of more than that (`policy/gate.ts`). */
const STEP_CONNECTIONS = 2
const STEP_RATIO = 1 / 64

/**
 * Tells the primary how many connections last, for gates that keep them even over the workers. Those that come and go within a look are of no
 * weight there, and gates that moved for them would cost more than it gives: so what counts is the fewest at any time since the last look.
 */
export class ConnectionCount {
  readonly #count: () => number
  readonly #tell: (connections: number) => void
  #told = 0
  #fewest = 0
  #looking = false

  constructor(count: () => number, tell: (connections: number) => void) {
    this.#count = count
    this.#tell = tell
  }

  /** A connection came or went. */
  readonly changed = (): void => {
    const connections = this.#count()
    if (connections < this.#fewest) this.#fewest = connections
    if (!this.#looking) this.#lookLater()
  }

  /** Now, changed or not. */
  tell(): void {
    this.#told = this.#fewest
    this.#tell(this.#told)
  }

  #lookLater(): void {
    this.#looking = true
    setTimeout(() => this.#look(), LOOK_MS).unref()
  }

  #look(): void {
    if (Math.abs(this.#fewest - this.#told) > Math.max(STEP_CONNECTIONS, this.#told * STEP_RATIO)) this.tell()
    const connections = this.#count()
    this.#looking = connections !== this.#fewest
    this.#fewest = connections
    if (this.#looking) this.#lookLater()
  }
}
