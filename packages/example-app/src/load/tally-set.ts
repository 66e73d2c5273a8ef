import { type Stats, Tally } from './tally.ts'

/** Counts that run at the same time: of everything, since the last look, and of any number of phases. */
export class TallySet {
  readonly #total = new Tally()
  #lap = new Tally()
  readonly #all = new Set([this.#total, this.#lap])

  each(note: (tally: Tally) => void): void {
    this.#all.forEach(note)
  }

  total(): Stats {
    return this.#total.stats()
  }

  lap(): Stats {
    const ended = this.#lap
    this.#lap = this.#replace(ended)
    return ended.stats()
  }

  window(): () => Stats {
    const tally = new Tally()
    this.#all.add(tally)
    return () => {
      this.#all.delete(tally)
      return tally.stats()
    }
  }

  #replace(old: Tally): Tally {
    const tally = new Tally()
    this.#all.delete(old)
    this.#all.add(tally)
    return tally
  }
}
