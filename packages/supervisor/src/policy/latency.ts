/**
 * Response times as log-linear counts: each power of two of microseconds is cut into 32 equal buckets, so any
 * value is known to about 3 %, two histograms merge by addition, and a histogram crosses a process border as plain numbers.
 */

/** Sparse histogram: bucket index and count in turns, ascending by bucket. */
export type LatencyCounts = readonly number[]

const SUBDIVISIONS = 32
const LARGEST_EXPONENT = 33 // 2^33 µs = 2.4 hours; longer responses fall into the last bucket
const LARGEST_US = 2 ** LARGEST_EXPONENT - 1
export const BUCKETS: number = (LARGEST_EXPONENT - 4) * SUBDIVISIONS

/** The bucket of a duration. Below 32 µs the buckets are one microsecond wide. What is no duration counts as none. */
export function bucketOf(durationMs: number): number {
  const us = Math.min(Math.max(0, Math.round(durationMs * 1000)) || 0, LARGEST_US)
  if (us < SUBDIVISIONS) return us
  // Whole numbers of 32 bits are all that `clz32` knows; what is longer is divided first, which drops no bit that counts.
  const isShort = us < 2 ** 31
  const short = isShort ? us : Math.floor(us / 8)
  const shift = isShort ? 0 : 3
  const exponent = 31 - Math.clz32(short)
  const index = (exponent + shift - 4) * SUBDIVISIONS + ((short >>> (exponent - 5)) & (SUBDIVISIONS - 1))
  return Math.min(index, BUCKETS - 1)
}

/** The upper edge of a bucket, in milliseconds. */
export function upperEdgeMs(bucket: number): number {
  if (bucket < SUBDIVISIONS) return (bucket + 1) / 1000
  const exponent = Math.floor(bucket / SUBDIVISIONS) + 4
  return (2 ** exponent * (1 + ((bucket % SUBDIVISIONS) + 1) / SUBDIVISIONS)) / 1000
}

/** Turns a dense array of counts into the sparse form. */
export function toSparse(dense: ArrayLike<number>): number[] {
  const sparse: number[] = []
  for (let bucket = 0; bucket < dense.length; bucket++) {
    const count = dense[bucket] as number
    if (count > 0) sparse.push(bucket, count)
  }
  return sparse
}

/** Where histograms are added up. All zeros between two calls: made once, because it is the largest thing a tick would make. */
const sums = new Float64Array(BUCKETS)

/** Adds any number of sparse histograms. */
export function merge(histograms: readonly LatencyCounts[]): number[] {
  let lowest = BUCKETS
  let highest = -1
  for (const counts of histograms) {
    for (let i = 0; i < counts.length; i += 2) {
      const bucket = counts[i] as number
      sums[bucket] = (sums[bucket] as number) + (counts[i + 1] as number)
      if (bucket < lowest) lowest = bucket
      if (bucket > highest) highest = bucket
    }
  }
  const merged: number[] = []
  for (let bucket = Math.max(0, lowest); bucket <= Math.min(highest, BUCKETS - 1); bucket++) {
    const count = sums[bucket] as number
    if (count > 0) merged.push(bucket, count)
    sums[bucket] = 0
  }
  return merged
}

export function total(counts: LatencyCounts): number {
  let sum = 0
  for (let i = 1; i < counts.length; i += 2) sum += counts[i] as number
  return sum
}

/** The duration that the given share (0..1) of responses did not exceed, in milliseconds; null for an empty histogram. */
export function percentileMs(counts: LatencyCounts, share: number): number | null {
  const all = total(counts)
  if (all === 0) return null
  let left = Math.max(1, Math.ceil(all * share))
  for (let i = 0; i < counts.length; i += 2) {
    left -= counts[i + 1] as number
    if (left <= 0) return upperEdgeMs(counts[i] as number)
  }
  return upperEdgeMs(counts[counts.length - 2] as number)
}
