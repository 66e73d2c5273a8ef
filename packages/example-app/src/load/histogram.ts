/** Sub-buckets per doubling: values are known to within 1/32, about 3 %. */
const perDoubling = 32
/** 2^27 µs are 134 s, beyond every time-out here. */
const doublings = 27

/** Latencies in fixed memory, however many there are: buckets whose width grows with the value. */
export class Histogram {
  readonly #counts = new Uint32Array(perDoubling * (doublings + 1))
  #count = 0
  #maxMs = 0

  get count(): number {
    return this.#count
  }

  record(ms: number): void {
    const bucket = Math.min(bucketOf(Math.max(0, ms) * 1_000), this.#counts.length - 1)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#count++
    this.#maxMs = Math.max(this.#maxMs, ms)
  }

  /** The value that the given share of all values does not exceed; `null` when there is none. */
  quantileMs(share: number): number | null {
    if (this.#count === 0) return null
    let rest = Math.max(1, Math.ceil(share * this.#count))
    for (const [bucket, count] of this.#counts.entries()) {
      rest -= count
      if (rest <= 0) return Math.min(upperEdge(bucket) / 1_000, this.#maxMs)
    }
    return this.#maxMs
  }

  get maxMs(): number | null {
    return this.#count === 0 ? null : this.#maxMs
  }
}

/** Linear below 32 µs, then 32 equal buckets for each doubling. */
function bucketOf(us: number): number {
  if (us < perDoubling) return Math.floor(us)
  const doubling = Math.floor(Math.log2(us)) - Math.log2(perDoubling)
  return Math.floor(us / 2 ** doubling) + doubling * perDoubling
}

function upperEdge(bucket: number): number {
  if (bucket < 2 * perDoubling) return bucket + 1
  const doubling = Math.floor(bucket / perDoubling) - 1
  return (bucket - doubling * perDoubling + 1) * 2 ** doubling
}
