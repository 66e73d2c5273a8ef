/**
 * All processes of a fleet act at the same moments of the clock: workers report, and shortly after the primary looks. Left to timers
 * of their own, a report would be half a tick old on average when it is looked at, and a rush would be met that much later.
 */
export type Part = 'report' | 'look'

/** Of a tick. A busy worker comes to its report late; this much late is early enough. */
const PHASES: Readonly<Record<Part, number>> = { report: 0.7, look: 1 }
/** After a beat that came late, or at the start, the next is not due sooner than this share of a tick. */
const SHORTEST_SHARE = 0.25

/** The time from `unixMs` to the next beat of that part. */
export function msToNextBeat(unixMs: number, tickMs: number, part: Part): number {
  const waitMs = tickMs - ((unixMs - PHASES[part] * tickMs) % tickMs)
  return waitMs < SHORTEST_SHARE * tickMs ? waitMs + tickMs : waitMs
}
