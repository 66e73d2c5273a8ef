import { performance } from 'node:perf_hooks'
import type { Advice } from '../policy/advice.ts'
import { msToNextBeat } from '../policy/beat.ts'
import type { Sample, Usage } from '../policy/sample.ts'
import type { NewEvent } from './engine.ts'
import type { Inbox } from './reports.ts'

export interface Measurements {
  readonly cpu: number | null
  readonly memoryBytes: number | null
}

export interface SamplingParts {
  readonly tickMs: number
  /** Workers that have a process now. */
  workers(): readonly { readonly workerId: number; readonly pid: number }[]
  measure(workers: readonly { readonly workerId: number; readonly pid: number }[]): Promise<ReadonlyMap<number, Measurements>>
  usage(): Promise<Usage>
  /** What the user's own policy wants. */
  advise(): Advice | null
  readonly inbox: Inbox
  dispatch(event: NewEvent): void
  onError(error: unknown): void
}

/** Once a tick everything that is known of every worker becomes one event. A slow measurement skips ticks; it does not pile them up. */
export function startSampling(parts: SamplingParts): { stop(): void } {
  let busy = false
  let stopped = false
  const tick = async (): Promise<void> => {
    const workers = parts.workers()
    const [measured, usage] = await Promise.all([parts.measure(workers), parts.usage()])
    if (stopped) return
    const samples = workers.map(
      ({ workerId }): Sample => ({
        workerId,
        cpu: measured.get(workerId)?.cpu ?? null,
        memoryBytes: measured.get(workerId)?.memoryBytes ?? null,
        report: parts.inbox.take(workerId),
      }),
    )
    const advice = parts.advise()
    parts.dispatch({ kind: 'sampled', wallMs: Date.now(), samples, usage, ...(advice ? { advice } : {}) })
  }
  const atNextBeat = (): NodeJS.Timeout => setTimeout(beat, msToNextBeat(performance.timeOrigin + performance.now(), parts.tickMs, 'look'))
  const beat = (): void => {
    timer = atNextBeat()
    if (busy) return
    busy = true
    tick()
      .catch(parts.onError)
      .finally(() => {
        busy = false
      })
  }
  let timer = atNextBeat()
  return {
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
