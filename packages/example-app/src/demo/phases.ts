/** One part of the play. Its load is told as a share of what one worker can answer, so that it is the same story on every machine. */
export type Phase = {
  readonly name: string
  readonly seconds: number
  readonly shareOfOneWorker: number
  /** What the fleet should have come to by the end. */
  readonly goal?: 'grown' | 'smallest'
  /** Until then the phase goes on beyond its time, for so long at most. */
  readonly patienceS?: number
}

/** The load of two cores is 1.3 for the workers and some for clients and databases: a heavier rush would only show a full machine. */
const rush = { name: 'rush', shareOfOneWorker: 1.3, goal: 'grown' } as const
const calm = { name: 'calm', shareOfOneWorker: 0.15 } as const
const calmAgain = { ...calm, name: 'calm again', goal: 'smallest' } as const

export const phases: readonly Phase[] = [
  { ...calm, seconds: 12 },
  { ...rush, seconds: 36, patienceS: 30 },
  { ...calmAgain, seconds: 26, patienceS: 40 },
]

/** The same story, shorter: for tests, and for the impatient. */
export const quickPhases: readonly Phase[] = [
  { ...calm, seconds: 3 },
  { ...rush, seconds: 12, patienceS: 60 },
  { ...calmAgain, seconds: 5, patienceS: 60 },
]
