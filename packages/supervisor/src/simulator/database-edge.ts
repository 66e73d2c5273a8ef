import type { Command } from '../fleet/command.ts'
import type { Backends } from './database.ts'
import type { NewEvent } from './turn.ts'
import type { VirtualWorker } from './virtual-worker.ts'

const WORD_MS = 10
const ANSWER_MS = 200

/** What the world does for those who share out connections. */
export interface DatabaseWorld {
  later(afterMs: number, act: () => void): void
  /** True where the channel loses what is sent now. */
  loses(): boolean
  /** From a worker, by a channel that has faults. */
  receive(happens: NewEvent): void
  dispatch(happens: NewEvent): void
  /** What the primary's clock shows. */
  primaryMs(): number
  nowMs(): number
}

/** Carries words about connections to workers and back, and asks the server. */
export class DatabaseEdge {
  readonly #backends: Backends
  readonly #workers: ReadonlyMap<number, VirtualWorker>
  readonly #world: DatabaseWorld

  constructor(backends: Backends, workers: ReadonlyMap<number, VirtualWorker>, world: DatabaseWorld) {
    this.#backends = backends
    this.#workers = workers
    this.#world = world
  }

  /** The word may be lost on its way; the primary repeats what was not confirmed. */
  lease(word: Extract<Command, { kind: 'lease' }>): void {
    if (this.#world.loses()) return
    this.#world.later(WORD_MS, () => {
      const worker = this.#workers.get(word.workerId)
      if (!worker || worker.hung) return
      worker.pool?.hear(word, this.#world.nowMs())
      this.tellUse(worker, true)
    })
  }

  /** Once a slice; `isAsked` where it must be told again. */
  tellUse(worker: VirtualWorker, isAsked = false): void {
    const use = worker.hung ? null : worker.pool?.news(isAsked)
    if (use) this.#world.receive((nowMs) => ({ kind: 'leaseUsed', workerId: worker.workerId, ...use, nowMs }))
  }

  ask(): void {
    const seen = { askedAtMs: this.#world.primaryMs(), backends: this.#backends.seenAt(this.#world.nowMs()) }
    const event = { kind: 'backendsSeen', ...seen, starting: 0, foreign: 0, goneWithinMs: null } as const
    this.#world.later(ANSWER_MS, () => this.#world.dispatch((nowMs) => ({ ...event, nowMs })))
  }
}
