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

/** Measured with real workers that share two cores: between half and all of the time for which others have them. */
const WAITED_SHARE = 0.75
/** Requests whose times differ by less are told apart by nobody, and cost less to count together. */
const UNFELT = 0.01

/**
 * How much longer a loop takes for the same work while cores are not used up, because it has to wait for one at times: when it wants to run, it
 * finds all of them taken with the chance that others fill each, and is let in before they are done.
 */
export function stretchOf(othersShare: number, cpus: number): number {
  let allTaken = 1
  for (let core = Math.max(1, Math.floor(cpus)); core > 0; core--) allTaken *= othersShare
  return allTaken < UNFELT ? 1 : 1 + WAITED_SHARE * allTaken
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
