/**
 * Divides the time of a machine's cores among event loops, each of which can use one core at most: who wants less than a fair
 * share gets what it wants, the others share what is left.
 */
export function shareCores(wantedMs: readonly number[], availableMs: number): { readonly shares: readonly number[]; readonly limitMs: number } {
  let wanted = 0
  for (const each of wantedMs) wanted += each
  if (wanted <= availableMs) return { shares: wantedMs, limitMs: Number.POSITIVE_INFINITY }
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
  // Rounded here and not for each: what is given then are small whole numbers to V8 as well, and what it has compiled for them stays good.
  const level = Math.floor(levelOf(queues, requests))
  let left = requests
  const given = queues.map((queue) => {
    const some = queue <= level ? level - queue : 0
    left -= some
    return some
  })
  for (let index = 0; left > 0; index++) {
    if ((queues[index] as number) > level) continue
    given[index] = (given[index] as number) + 1
    left--
  }
  return given
}

/** Who has more than the common level takes nothing; without it the level is lower, so look again. */
function levelOf(queues: readonly number[], requests: number): number {
  let level = Number.POSITIVE_INFINITY
  let takers = 0
  for (let before = -1; before !== takers; ) {
    before = takers
    let sum = 0
    takers = 0
    for (const queue of queues) {
      if (queue > level) continue
      sum += queue
      takers++
    }
    level = (sum + requests) / takers
  }
  return level
}
