import { hashOf } from '../policy/route.ts'

/** As many sessions as one worker may have at a time; a few MB at most, with the generation before. */
const MOST_KEYS = 50_000

/** The keys that were seen lately, as numbers: one that is mistaken for another only keeps a new client on a worker that leaves. */
export class RecentKeys {
  #now = new Set<number>()
  #before: ReadonlySet<number> = new Set()

  add(key: string): void {
    if (this.#now.size >= MOST_KEYS) {
      this.#before = this.#now
      this.#now = new Set()
    }
    this.#now.add(hashOf(key))
  }

  has(key: string): boolean {
    const hash = hashOf(key)
    return this.#now.has(hash) || this.#before.has(hash)
  }
}
