import type { Course } from './response-times.ts'

/** Requests that have left the event loop and wait for something elsewhere; they are answered evenly from `fromMs` to `toMs`. */
export interface Away extends Course {
  readonly fromMs: number
  readonly toMs: number
  readonly count: number
  answered: number
}

/** Of requests that are elsewhere, how many are answered by then. */
function dueOf({ fromMs, toMs, count }: Away, nowMs: number): number {
  return nowMs >= toMs ? count : Math.floor(count * Math.min(1, (nowMs - fromMs) / (toMs - fromMs)))
}

/** All that one worker waits for. */
export class Elsewhere {
  readonly #away: Away[] = []
  /** When the first of each is answered: most wait for longer than a slice, and need not be looked at before. */
  readonly #answeredFromMs: number[] = []

  add(away: Away): void {
    this.#away.push(away)
    this.#answeredFromMs.push(away.fromMs)
  }

  /** Hands over what is answered by then, and answers how many that are. */
  answerDue(nowMs: number, take: (course: Course, count: number) => void): number {
    let sum = 0
    let left = 0
    for (let place = 0; place < this.#away.length; place++) {
      const fromMs = this.#answeredFromMs[place] as number
      const away = this.#away[place] as Away
      const due = nowMs > fromMs ? dueOf(away, nowMs) - away.answered : 0
      if (due > 0) {
        away.answered += due
        sum += due
        take(away, due)
        if (away.answered === away.count) continue
      }
      if (left < place) {
        this.#away[left] = away
        this.#answeredFromMs[left] = fromMs
      }
      left++
    }
    for (; this.#away.length > left; this.#away.pop()) this.#answeredFromMs.pop()
    return sum
  }
}
