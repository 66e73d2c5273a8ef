interface Planned {
  readonly atMs: number
  readonly act: () => void
}

/** What is going to happen, in order; what was planned first for a moment happens first. */
export class Agenda {
  readonly #planned: Planned[] = []

  get nextAtMs(): number {
    return this.#planned[0]?.atMs ?? Number.POSITIVE_INFINITY
  }

  at(atMs: number, act: () => void): void {
    // Few things are planned at once, and most of them last: a search from the end beats a tree.
    let place = this.#planned.length
    for (; place > 0; place--) {
      const before = this.#planned[place - 1] as Planned
      if (before.atMs <= atMs) break
      this.#planned[place] = before
    }
    this.#planned[place] = { atMs, act }
  }

  /** Again and again, first after `fromMs`. */
  every(intervalMs: number, fromMs: number, act: () => void): void {
    const atMs = fromMs + intervalMs
    this.at(atMs, () => {
      act()
      this.every(intervalMs, atMs, act)
    })
  }

  /** Takes the next thing off the agenda and lets it happen. */
  actOnNext(): void {
    this.#planned.shift()?.act()
  }
}
