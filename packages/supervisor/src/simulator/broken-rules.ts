import { Recent } from './recent.ts'
import { transcriptOf } from './transcript.ts'
import type { Turn } from './turn.ts'

/** More would only repeat the first. */
const MOST_SENTENCES = 10
const TRANSCRIPT_STEPS = 40

export interface Broken {
  readonly violations: readonly string[]
  /** The step that broke the first, counted from the start; null where none was broken. */
  readonly brokenAtStep: number | null
  /** What happened until then. */
  readonly transcript: readonly string[]
}

/** What a run is found to have broken, and the steps that led to the first of it. */
export class BrokenRules {
  readonly #sentences: string[] = []
  readonly #recent = new Recent(TRANSCRIPT_STEPS)
  #steps = 0

  /** False once enough was found: then nobody needs to judge any more. */
  get isLooking(): boolean {
    return this.#sentences.length < MOST_SENTENCES
  }

  get isClean(): boolean {
    return this.#sentences.length === 0
  }

  /** A step was made; until the first rule is broken it is kept. */
  see(turn: Turn): void {
    if (this.#sentences.length > 0) return
    this.#steps++
    this.#recent.add(turn)
  }

  add(...sentences: readonly string[]): void {
    this.#sentences.push(...sentences)
  }

  /** All of it, for the outcome of the run. */
  told(): Broken {
    if (this.#sentences.length === 0) return { violations: [], brokenAtStep: null, transcript: [] }
    return { violations: this.#sentences.slice(0, MOST_SENTENCES), brokenAtStep: this.#steps, transcript: transcriptOf(this.#recent.turns()) }
  }
}
