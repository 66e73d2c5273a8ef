/** How it stood at one tick. A number that is not known is null. */
export interface Moment {
  readonly atS: number
  readonly ready: number
  readonly target: number
  readonly cpu: number | null
  readonly queue: number | null
  readonly p95Ms: number | null
}

/** What only the report shows. */
export interface Detail extends Moment {
  readonly replicas: number
  readonly requestsPerSecond: number
  readonly booting: number
  readonly spare: number
  readonly draining: number
  readonly memory: number | null
  readonly eventLoopUtilization: number | null
  readonly eventLoopDelayMs: number | null
}

/** What is kept of each moment, in this order. */
const COLUMNS = [
  'atS',
  'ready',
  'replicas',
  'target',
  'cpu',
  'queue',
  'p95Ms',
  'requestsPerSecond',
  'booting',
  'spare',
  'draining',
  'memory',
  'eventLoopUtilization',
  'eventLoopDelayMs',
] as const satisfies readonly (keyof Detail)[]

/** Moments in one block: more than an hour at ticks of a second. */
const BLOCK = 4096

/** The moments of a run, each a row of plain numbers: a day at ticks of a second takes 10 MB, a third of what objects would. */
export class Moments implements Iterable<Detail> {
  readonly #blocks: Float64Array[] = []
  #length = 0

  get length(): number {
    return this.#length
  }

  add(moment: Detail): void {
    const row = this.#length % BLOCK
    if (row === 0) this.#blocks.push(new Float64Array(BLOCK * COLUMNS.length))
    const block = this.#blocks.at(-1) as Float64Array
    let place = row * COLUMNS.length
    for (const name of COLUMNS) block[place++] = moment[name] ?? Number.NaN
    this.#length++
  }

  /** Counted from the end where `index` is negative. */
  at(index: number): Detail | undefined {
    const from = index < 0 ? this.#length + index : index
    const block = this.#blocks[Math.floor(from / BLOCK)]
    if (!block || from >= this.#length) return undefined
    const row = (from % BLOCK) * COLUMNS.length
    const entries = COLUMNS.map((name, column): [keyof Detail, number | null] => {
      const value = block[row + column] as number
      return [name, Number.isNaN(value) ? null : value]
    })
    return Object.fromEntries(entries) as unknown as Detail
  }

  map<Value>(of: (moment: Detail) => Value): Value[] {
    return Array.from(this, of)
  }

  *[Symbol.iterator](): Generator<Detail> {
    for (let index = 0; index < this.#length; index++) yield this.at(index) as Detail
  }
}
