import type { Note } from '../fleet/note.ts'
import { describeNeed } from '../policy/replicas.ts'

/** More of them nobody reads: a run of a month may say how many replicas it needs every hour. */
const MOST = 50

/** What the supervisor would have told people in a run, each sentence once. */
export class Warnings {
  readonly #sentences = new Set<string>()
  #leftOut = 0

  add(sentence: string): void {
    if (this.#sentences.has(sentence)) return
    if (this.#sentences.size < MOST) this.#sentences.add(sentence)
    else this.#leftOut++
  }

  /** `who` says so at `atMs`. */
  hear(notes: readonly Note[], who: string, atMs: number): void {
    for (const note of notes) {
      if (note.kind === 'fleet:warning') this.add(note.message)
      if (note.kind === 'fleet:replicas') this.add(`At ${atMs / 1000} s ${who} says: ${describeNeed(note)}`)
    }
  }

  told(): readonly string[] {
    const rest = this.#leftOut > 0 ? [`… and ${this.#leftOut} warnings more.`] : []
    return [...this.#sentences, ...rest]
  }
}
