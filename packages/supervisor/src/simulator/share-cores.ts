/**
 * Divides the time of a machine's cores among event loops, each of which can use one core at most: who wants less than a fair
 * share gets what it wants, the others share what is left.
 */
export function shareCores(wantedMs: readonly number[], availableMs: number): { readonly shares: number[]; readonly limitMs: number } {
  const wanted = wantedMs.reduce((sum, each) => sum + each, 0)
  if (wanted <= availableMs) return { shares: [...wantedMs], limitMs: Number.POSITIVE_INFINITY }
  const ascending = [...wantedMs].sort((a, b) => a - b)
  let [leftMs, limitMs] = [availableMs, 0]
  for (const [index, each] of ascending.entries()) {
    limitMs = leftMs / (ascending.length - index)
    if (each > limitMs) break
    leftMs -= each
  }
  return { shares: wantedMs.map((each) => Math.min(each, limitMs)), limitMs }
}

/** Hands out requests so that queues even out: the least busy loop turns first, so it accepts first. */
export function levelOut(queues: readonly number[], requests: number): number[] {
  const given = queues.map(() => 0)
  let takers = queues.map((_, index) => index)
  let level = 0
  // Who has more than the common level takes nothing; without it the level is lower, so look again.
  for (let before = -1; before !== takers.length; ) {
    before = takers.length
    level = (takers.reduce((sum, index) => sum + (queues[index] as number), 0) + requests) / before
    takers = takers.filter((index) => (queues[index] as number) <= level)
  }
  let left = requests
  for (const index of takers) {
    const some = Math.floor(level - (queues[index] as number))
    given[index] = some
    left -= some
  }
  for (let turn = 0; left > 0; turn++, left--) given[takers[turn] as number] = (given[takers[turn] as number] as number) + 1
  return given
}
