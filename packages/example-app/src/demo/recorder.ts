import type { Stats } from '../load/tally.ts'
import type { Decision, Status } from './control.ts'

export type Sample = {
  readonly atS: number
  readonly ready: number
  readonly spares: number
  readonly target: number
  readonly cpu: number | null
  readonly queue: number | null
  readonly eventLoopUtilization: number | null
  /** As the clients saw it. */
  readonly p95Ms: number | null
  readonly requestsPerSecond: number
  readonly failed: number
}

export type PhaseRecord = { readonly name: string; readonly fromS: number; readonly toS: number; readonly stats: Stats }

export type Recording = {
  readonly startedAtMs: number
  readonly samples: Sample[]
  readonly phases: PhaseRecord[]
  readonly decisions: (Decision & { readonly atS: number })[]
}

export const newRecording = (): Recording => ({ startedAtMs: Date.now(), samples: [], phases: [], decisions: [] })

export const secondsInto = (recording: Recording): number => (Date.now() - recording.startedAtMs) / 1_000

/** One look at the fleet, with what the clients saw since the look before. */
export function record(recording: Recording, status: Status, seen: Stats): Sample {
  const atS = secondsInto(recording)
  const sample: Sample = {
    atS,
    ready: status.fleet.ready,
    spares: status.fleet.spares,
    target: status.fleet.target,
    cpu: status.fleet.cpu,
    queue: status.fleet.queue,
    eventLoopUtilization: mean(status.workers.filter((worker) => worker.state === 'ready').map((worker) => worker.eventLoopUtilization)),
    p95Ms: seen.latency.p95Ms,
    requestsPerSecond: seen.perSecond,
    failed: seen.failed,
  }
  recording.samples.push(sample)
  const decision = status.lastDecision
  const last = recording.decisions.at(-1)
  if (decision && decision.from !== decision.to && decision.atMs !== last?.atMs) recording.decisions.push({ ...decision, atS })
  return sample
}

function mean(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length
}
