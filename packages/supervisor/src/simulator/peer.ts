/** A scaling policy of somebody else, for comparison. Modelled after its source; none of its code is used. */
export interface Peer {
  readonly name: string
  /** What the model was made after. */
  readonly source: string
  /** How many workers it wants after this tick. */
  decide(seen: PeerInput): number
}

export interface PeerWorker {
  readonly workerId: number
  readonly readyForMs: number
  /** Share of one core. */
  readonly cpu: number | null
  readonly eventLoopUtilization: number | null
  readonly memoryBytes: number | null
}

export interface PeerInput {
  readonly nowMs: number
  /** Those that serve. */
  readonly ready: readonly PeerWorker[]
  /** Forked and not yet there. */
  readonly booting: readonly PeerWorker[]
  /** The size that the fleet has or is on its way to. */
  readonly target: number
  readonly min: number
  readonly max: number
  readonly cpus: number
  readonly memoryBytes: number
  readonly usedMemoryBytes: number
}

export function meanOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}

/** The newest values of each worker; who is gone is forgotten. */
export class Histories {
  readonly #byWorker = new Map<number, number[]>()

  readonly #longest: number

  constructor(longest: number) {
    this.#longest = longest
  }

  add(workers: readonly PeerWorker[], read: (worker: PeerWorker) => number | null): void {
    const there = new Set(workers.map(({ workerId }) => workerId))
    for (const workerId of this.#byWorker.keys()) if (!there.has(workerId)) this.#byWorker.delete(workerId)
    for (const worker of workers) {
      const value = read(worker)
      if (value === null) continue
      const values = this.#byWorker.get(worker.workerId) ?? []
      values.push(value)
      if (values.length > this.#longest) values.shift()
      this.#byWorker.set(worker.workerId, values)
    }
  }

  /** Each worker's mean over its newest `count` values. */
  means(count: number): number[] {
    return [...this.#byWorker.values()].map((values) => meanOf(values.slice(-count)))
  }
}
