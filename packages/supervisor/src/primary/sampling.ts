import { performance } from 'node:perf_hooks'
import type { Fleet } from '../fleet/fleet.ts'
import type { PolicyFunction } from '../policy/advice.ts'
import { msToNextBeat } from '../policy/beat.ts'
import type { Sample, Usage } from '../policy/sample.ts'
import { createAdvisor } from '../fleet/advisor.ts'
import type { NewEvent } from './engine.ts'
import type { Inbox } from './reports.ts'

export interface Measurements {
  readonly cpu: number | null
  readonly memoryBytes: number | null
}

export interface SamplingParts {
  readonly tickMs: number
  fleet(): Fleet
  readonly measurer: {
    measure(workers: readonly { readonly workerId: number; readonly pid: number }[]): Promise<ReadonlyMap<number, Measurements>>
  }
  usage(): Promise<Usage>
  /** The user's own. */
  readonly policy: PolicyFunction | null
  readonly inbox: Inbox
  dispatch(event: NewEvent): void
  warn(sentence: string): void
}

/** Once a tick everything that is known of every worker becomes one event. A slow measurement skips ticks; it does not pile them up. */
export function startSampling(parts: SamplingParts): { stop(): void } {
  const advise = createAdvisor(parts)
  let busy = false
  let stopped = false
  const tick = async (): Promise<void> => {
    const workers = parts.fleet().workers.flatMap(({ id, pid }) => (pid === null ? [] : [{ workerId: id, pid }]))
    const [measured, usage] = await Promise.all([parts.measurer.measure(workers), parts.usage()])
    if (stopped) return
    const samples = workers.map(
      ({ workerId }): Sample => ({
        workerId,
        cpu: measured.get(workerId)?.cpu ?? null,
        memoryBytes: measured.get(workerId)?.memoryBytes ?? null,
        report: parts.inbox.take(workerId),
      }),
    )
    const advice = advise()
    parts.dispatch({ kind: 'sampled', wallMs: Date.now(), samples, usage, ...(advice ? { advice } : {}) })
  }
  const atNextBeat = (): NodeJS.Timeout => setTimeout(beat, msToNextBeat(performance.timeOrigin + performance.now(), parts.tickMs, 'look'))
  const beat = (): void => {
    timer = atNextBeat()
    if (busy) return
    busy = true
    tick()
      .catch((error: unknown) => parts.warn(`A sample could not be taken: ${String(error)}`))
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
