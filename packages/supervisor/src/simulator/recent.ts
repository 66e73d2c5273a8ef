import type { Turn } from './turn.ts'

/** The last steps: where it went wrong if it did. */
export class Recent {
  readonly #most: number
  readonly #turns: Turn[] = []
  #next = 0

  constructor(most: number) {
    this.#most = most
  }

  add(turn: Turn): void {
    this.#turns[this.#next] = turn
    this.#next = (this.#next + 1) % this.#most
  }

  /** Oldest first. */
  turns(): readonly Turn[] {
    return [...this.#turns.slice(this.#next), ...this.#turns.slice(0, this.#next)]
  }
}
