/** The primary's own running time, which is behind the world's by as long as it has stood still. */
export class PrimaryClock {
  #pausedUntilMs = 0
  #stoodStillMs = 0

  /** Stands still from now on, or for longer. */
  pause(nowMs: number, forMs: number): void {
    const untilMs = Math.max(this.#pausedUntilMs, nowMs + forMs)
    this.#stoodStillMs += untilMs - Math.max(nowMs, this.#pausedUntilMs)
    this.#pausedUntilMs = untilMs
  }

  standsStill(nowMs: number): boolean {
    return nowMs < this.#pausedUntilMs
  }

  /** When it goes on. */
  get goesOnAtMs(): number {
    return this.#pausedUntilMs
  }

  /** What it shows at that time of the world. */
  at(nowMs: number): number {
    return nowMs - this.#stoodStillMs
  }

  /** When the world comes to what the primary calls `atMs`. */
  whenItShows(atMs: number): number {
    return Math.max(this.#pausedUntilMs, atMs + this.#stoodStillMs)
  }
}
