import type { Cluster } from '../policy/share.ts'
import type { Random } from './random.ts'

/** Another machine that takes over has a clock of its own. */
const MOST_SKEW_MS = 5000
/** Copies of the document that a replica of the server may be behind by. */
const COPIES = 12

/** One document that changes only as a whole, and only if it still is what was read; and what can become of it. */
export class VirtualRedis {
  /** Of this process of the server. */
  runId = 'redis 1'
  readonly #random: Random
  #text = ''
  #read: { readonly text: string; readonly cluster: Cluster | null } = { text: '', cluster: null }
  #processes = 1
  #skewMs = 0
  /** As it was, oldest first. */
  #copies: string[] = []

  constructor(random: Random) {
    this.#random = random
  }

  get text(): string {
    return this.#text
  }

  get cluster(): Cluster | null {
    return this.clusterOf(this.#text)
  }

  /** What a document says. All read the same one again and again, and nobody changes what was read. */
  clusterOf(text: string): Cluster | null {
    if (text !== this.#read.text) this.#read = { text, cluster: text === '' ? null : (JSON.parse(text) as Cluster) }
    return this.#read.cluster
  }

  at(nowMs: number): number {
    return nowMs + this.#skewMs
  }

  /** Answers whether the document is now what it should become. */
  swap(before: string, after: string): boolean {
    if (this.#text !== before) return false
    this.#copies.push(before)
    if (this.#copies.length > COPIES) this.#copies.shift()
    this.#text = after
    return true
  }

  /** Everything is forgotten, by an operator or for want of memory. */
  flush(): void {
    this.#text = ''
    this.#copies = []
  }

  /** Another process goes on with an older copy. */
  restore(): void {
    this.#text = this.#copies[this.#random.below(Math.max(1, this.#copies.length))] ?? ''
    this.#copies = []
    this.runId = `redis ${++this.#processes}`
    this.#skewMs += (this.#random.next() * 2 - 1) * MOST_SKEW_MS
  }
}
