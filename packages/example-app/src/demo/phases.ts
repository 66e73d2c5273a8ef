/** One part of the play. Its load is told as a share of what one worker can answer, so that it is the same story on every machine. */
export type Phase = {
  readonly name: string
  readonly seconds: number
  readonly shareOfOneWorker: number
  /** Goes on beyond its time, for so long at most, until the fleet is back at its smallest. */
  readonly untilSmallestS?: number
}

/** The load of two cores is 1.3 for the workers and some for clients and databases: a longer rush would only show a full machine. */
export const phases: readonly Phase[] = [
  { name: 'calm', seconds: 12, shareOfOneWorker: 0.15 },
  { name: 'rush', seconds: 36, shareOfOneWorker: 1.3 },
  { name: 'calm again', seconds: 26, shareOfOneWorker: 0.15, untilSmallestS: 40 },
]

/** The same story, shorter: for tests, and for the impatient. */
export const quickPhases: readonly Phase[] = [
  { name: 'calm', seconds: 3, shareOfOneWorker: 0.15 },
  { name: 'rush', seconds: 15, shareOfOneWorker: 1.3 },
  { name: 'calm again', seconds: 5, shareOfOneWorker: 0.15, untilSmallestS: 60 },
]
