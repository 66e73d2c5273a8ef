import type { Decision, Status } from 'stationmaster'
import type { Stats } from '../load/tally.ts'

type WorkerSample = Pick<Status['workers'][number], 'id' | 'state' | 'cpu'>

/** One look at the fleet, with what the clients saw since the look before. */
export type Sample = {
  readonly atS: number
  readonly due: number
  readonly answered: number
  readonly failed: number
  /** As the clients saw it, from the moment when a request was due. */
  readonly p95Ms: number | null
  readonly ready: number
  readonly cpu: number | null
  readonly eventLoopUtilization: number | null
  readonly queue: number | null
  readonly workers: readonly WorkerSample[]
}

export type PhaseRecord = { readonly name: string; readonly fromS: number; readonly toS: number; readonly due: number; readonly stats: Stats }

export type Recording = {
  readonly startedAtMs: number
  readonly samples: Sample[]
  readonly phases: PhaseRecord[]
  /** Changes of the fleet while the phases were played. */
  decisions: readonly Decision[]
}

export const newRecording = (): Recording => ({ startedAtMs: Date.now(), samples: [], phases: [], decisions: [] })

export const secondsInto = ({ startedAtMs }: Recording, atMs: number = Date.now()): number => (atMs - startedAtMs) / 1_000

export const lengthOf = ({ samples, phases }: Recording): number => Math.max(1, samples.at(-1)?.atS ?? 0, phases.at(-1)?.toS ?? 0)

export const mostReady = ({ samples }: Recording): number => Math.max(0, ...samples.map((sample) => sample.ready))

export function sampleOf(atS: number, due: number, { fleet, workers }: Status, seen: Stats): Sample {
  return {
    atS,
    due,
    answered: seen.perSecond,
    failed: seen.failed,
    p95Ms: seen.latency.p95Ms,
    ready: fleet.ready,
    cpu: fleet.cpu,
    eventLoopUtilization: fleet.eventLoopUtilization,
    queue: fleet.queue,
    workers: workers.map(({ id, state, cpu }) => ({ id, state, cpu })),
  }
}
