export type Phase = { readonly name: string; readonly seconds: number; readonly requestsPerSecond: number }

/** Event-loop time of each request. Small enough for a smooth load, large enough to be felt. */
export const requestCpuMs = 8

/** In the rush one worker alone would need more than one core's worth of time, and so a second one has to come. */
export const phases: readonly Phase[] = [
  { name: 'calm', seconds: 20, requestsPerSecond: 15 },
  { name: 'rush', seconds: 40, requestsPerSecond: 135 },
  { name: 'calm again', seconds: 30, requestsPerSecond: 15 },
]

/** The same story in a third of the time: for tests, and for the impatient. */
export const quickPhases: readonly Phase[] = phases.map((phase) => ({ ...phase, seconds: Math.ceil(phase.seconds / 3) }))
