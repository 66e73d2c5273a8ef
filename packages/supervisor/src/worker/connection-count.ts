const LOOK_MS = 10
/** A few more or less make no difference: gates have a slack of more than that (`policy/gate.ts`). */
const STEP_CONNECTIONS = 2
const STEP_RATIO = 1 / 64
/** A rise beyond what short connections make of themselves: of a crowd that arrives the quickest would take too much before it lasts. */
const CROWD_CONNECTIONS = 64
const CROWD_RATIO = 1 / 4

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
    const connections = this.#count()
    if (connections - this.#told > Math.max(CROWD_CONNECTIONS, this.#told * CROWD_RATIO)) this.#fewest = connections
    if (Math.abs(this.#fewest - this.#told) > Math.max(STEP_CONNECTIONS, this.#told * STEP_RATIO)) this.tell()
    this.#looking = connections !== this.#fewest
    this.#fewest = connections
    if (this.#looking) this.#lookLater()
  }
}
