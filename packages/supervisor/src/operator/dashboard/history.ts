import type { Status } from '../../fleet/status.ts'

/** Half an hour, in steps that a chart can still show. */
export const SPAN_S = 1800
const STEP_S = 5

export interface Moment {
  readonly atMs: number
  readonly ready: number
  readonly target: number
  readonly cpu: number | null
  readonly memory: number | null
  readonly eventLoopUtilization: number | null
  readonly queue: number | null
  readonly requestsPerSecond: number | null
  readonly p95Ms: number | null
}

export interface History {
  /** Oldest first. */
  moments(): readonly Moment[]
  close(): void
}

/** Remembers the last half hour, so that a page that is opened now shows how the fleet came here. */
export function keepHistory(status: () => Status): History {
  let kept: readonly Moment[] = []
  const remember = (): void => {
    const { ready, target, cpu, memory, eventLoopUtilization, queue, requestsPerSecond, p95Ms } = status().fleet
    const moment = { atMs: Date.now(), ready, target, cpu, memory, eventLoopUtilization, queue, requestsPerSecond, p95Ms }
    kept = [...kept, moment].slice(-SPAN_S / STEP_S)
  }
  const timer = setInterval(remember, STEP_S * 1000).unref()
  return { moments: () => kept, close: () => clearInterval(timer) }
}
