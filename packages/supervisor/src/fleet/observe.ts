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
  const byId = new Map(samples.map((sample) => [sample.workerId, sample]))
  const latencies: LatencyCounts[] = []
  const queueTimes: LatencyCounts[] = []
  fleet.workers = fleet.workers.map((worker) => {
    const { cpu, memoryBytes, report } = byId.get(worker.id) ?? NOTHING_KNOWN
    if (report === null) return { ...worker, cpu, memoryBytes, silentMs: worker.silentMs + (reports(worker) ? intervalMs : 0) }
    fleet.requestsTotal += report.requests
    if (report.latencies.length > 0) latencies.push(report.latencies)
    if (report.queueTimes.length > 0) queueTimes.push(report.queueTimes)
    return { ...worker, cpu, memoryBytes, report, reportAtMs: fleet.nowMs, silentMs: 0 }
  })
  fleet.latencies = [...fleet.latencies, merge(latencies)].slice(-LATENCY_TICKS)
  fleet.queueTimes = [...fleet.queueTimes, merge(queueTimes)].slice(-LATENCY_TICKS)
}

export function takeInUsage({ fleet }: Draft, usage: Usage, intervalMs: number): void {
  fleet.usage = usage
  const trigger = exhaustionTrigger(fleet.settings.capacity)
  fleet.cpuExhaustion = advanceHold(fleet.cpuExhaustion, usage.cpus, trigger, 'above', fleet.nowMs, intervalMs)
}

const NOTHING_KNOWN: Omit<Sample, 'workerId'> = { cpu: null, memoryBytes: null, report: null }

/** Workers report once a tick from the moment they are ready. */
const reports = (worker: Worker): boolean => worker.life.kind === 'ready' || worker.life.kind === 'spare'

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
  return fleet.workers.filter(isReady).map((worker) => factsOf(fleet, worker))
}

export function fleetSignals(fleet: Fleet, ready: readonly WorkerFacts[] = readyFacts(fleet)): Signals {
  return readSignals(ready, warming(fleet), fleet, customNames(fleet.settings.scaling))
}

export function knownMemoryBytes(fleet: Fleet): number[] {
  return fleet.workers.flatMap((worker) => worker.memoryBytes ?? [])
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
