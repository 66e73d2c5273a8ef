import { type Ceiling, ceilingOf, exhaustionTrigger } from '../policy/capacity.ts'
import { isFresh } from '../policy/health.ts'
import { type LatencyCounts, merge } from '../policy/latency.ts'
import type { Sample, Usage } from '../policy/sample.ts'
import { type Signals, type WorkerFacts, readSignals } from '../policy/signals.ts'
import { advanceHold, heldLongEnough } from '../policy/window.ts'
import { isReady, warming } from './census.ts'
import { customNames } from './custom-signals.ts'
import type { Draft } from './draft.ts'
import type { Fleet, Worker } from './fleet.ts'

/** What was measured, and what of it still counts. */

/** p95 is taken over this many ticks: enough responses to mean something, few enough to follow a rush. */
const LATENCY_TICKS = 10

export function takeIn(draft: Draft, samples: readonly Sample[], intervalMs: number): void {
  const { fleet } = draft
  const latencies: LatencyCounts[] = []
  const queueTimes: LatencyCounts[] = []
  fleet.workers = fleet.workers.map((worker, place) => {
    const { cpu, memoryBytes, report } = sampleOf(samples, worker.id, place) ?? NOTHING_KNOWN
    if (report === null) return { ...worker, cpu, memoryBytes, silentMs: worker.silentMs + silenceOf(worker, fleet.nowMs, intervalMs) }
    fleet.requestsTotal += report.requests
    if (report.latencies.length > 0) latencies.push(report.latencies)
    if (report.queueTimes.length > 0) queueTimes.push(report.queueTimes)
    return { ...worker, cpu, memoryBytes, report, reportAtMs: fleet.nowMs, silentMs: 0 }
  })
  fleet.latencies = withNewest(fleet.latencies, merge(latencies))
  fleet.queueTimes = withNewest(fleet.queueTimes, merge(queueTimes))
}

function withNewest(ticks: readonly LatencyCounts[], newest: LatencyCounts): readonly LatencyCounts[] {
  const kept = ticks.slice(-(LATENCY_TICKS - 1))
  kept.push(newest)
  return kept
}

export function takeInUsage({ fleet }: Draft, usage: Usage, intervalMs: number): void {
  fleet.usage = usage
  const trigger = exhaustionTrigger(fleet.settings.capacity)
  fleet.cpuExhaustion = advanceHold(fleet.cpuExhaustion, usage.cpus, trigger, 'above', fleet.nowMs, intervalMs)
}

/** Samples come in the order of the workers, unless one has come or gone meanwhile. */
function sampleOf(samples: readonly Sample[], workerId: number, place: number): Sample | undefined {
  const here = samples[place]
  return here?.workerId === workerId ? here : samples.findLast((sample) => sample.workerId === workerId)
}

const NOTHING_KNOWN: Omit<Sample, 'workerId'> = { cpu: null, memoryBytes: null, report: null }

/** Workers report once a tick from the moment they are ready. Before that silence is no silence, not even in the tick in which they became it. */
function silenceOf({ life }: Worker, nowMs: number, intervalMs: number): number {
  return life.kind === 'ready' || life.kind === 'spare' ? Math.min(intervalMs, Math.max(0, nowMs - life.readyAtMs)) : 0
}

/** What is known of a ready worker now; a report that is too old is as good as none. */
export function factsOf(fleet: Fleet, worker: Worker): WorkerFacts {
  const fresh = isFresh(worker.reportAtMs, fleet.nowMs, fleet.settings.tickMs)
  const memory = worker.memoryBytes === null ? null : worker.memoryBytes / fleet.settings.workers.memoryLimitBytes
  return { workerId: worker.id, cpu: worker.cpu, memory, report: fresh ? worker.report : null, warmth: warmthOf(fleet, worker) }
}

function warmthOf({ nowMs, settings }: Fleet, { life }: Worker): number {
  const { warmUpMs } = settings.scaling
  return life.kind !== 'ready' || warmUpMs === 0 ? 1 : Math.min(1, Math.max(0, nowMs - life.readyAtMs) / warmUpMs)
}

export function readyFacts(fleet: Fleet): WorkerFacts[] {
  const facts: WorkerFacts[] = []
  for (const worker of fleet.workers) if (isReady(worker)) facts.push(factsOf(fleet, worker))
  return facts
}

export function fleetSignals(fleet: Fleet, ready: readonly WorkerFacts[] = readyFacts(fleet)): Signals {
  return readSignals(ready, warming(fleet), fleet, customNames(fleet.settings.scaling))
}

export function knownMemoryBytes(fleet: Fleet): number[] {
  const known: number[] = []
  for (const { memoryBytes } of fleet.workers) if (memoryBytes !== null) known.push(memoryBytes)
  return known
}

export function currentCeiling(fleet: Fleet): Ceiling {
  const { capacity, workers, tickMs } = fleet.settings
  const { usage, target, cpuExhaustion } = fleet
  const isExhausted = cpuExhaustion !== null && heldLongEnough(cpuExhaustion, exhaustionTrigger(capacity), fleet.nowMs, tickMs)
  return ceilingOf({
    capacity,
    usage,
    oversubscribe: workers.oversubscribe,
    target,
    exhaustedCpus: isExhausted ? cpuExhaustion.mean : null,
    processes: fleet.workers.length,
    memoryBytes: knownMemoryBytes(fleet),
  })
}
