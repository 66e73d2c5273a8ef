import { chooseSheds } from '../policy/balance.ts'
import { type Ceiling, ceilingOf } from '../policy/capacity.ts'
import { isFresh } from '../policy/health.ts'
import { type LatencyCounts, merge } from '../policy/latency.ts'
import type { Sample, Usage } from '../policy/sample.ts'
import { type ScaleInput, decide } from '../policy/scale.ts'
import { limitsAt } from '../policy/schedule.ts'
import { type Signals, type WorkerFacts, readSignals } from '../policy/signals.ts'
import { isReady, warming } from './census.ts'
import type { Draft } from './draft.ts'
import type { Fleet, Worker } from './fleet.ts'

/** p95 is taken over this many ticks: enough responses to mean something, few enough to follow a rush. */
const LATENCY_TICKS = 10
/** Decisions kept for `explain`. */
const DECISIONS_KEPT = 200
/** A tick that comes late stands for at most this many: what happened in a longer gap nobody saw. */
const LONGEST_INTERVAL_TICKS = 3

/** Below this share of the memory in use, a process that only waits is no burden. */
const ROOMY_MEMORY_SHARE = 0.75

/** One tick: take in what was measured, ask the policy, and carry its answer into the target. */
export function onSampled(draft: Draft, samples: readonly Sample[], usage: Usage): void {
  const { fleet } = draft
  const intervalMs = Math.min(
    fleet.nowMs - (fleet.sampledAtMs ?? fleet.nowMs - fleet.settings.tickMs),
    LONGEST_INTERVAL_TICKS * fleet.settings.tickMs,
  )
  fleet.sampledAtMs = fleet.nowMs
  fleet.usage = usage
  takeIn(draft, samples)
  if (fleet.phase !== 'running') return
  const ceiling = currentCeiling(fleet)
  fleet.spareTarget = spareTarget(fleet)
  const limits = limitsAt(fleet.settings.scaling.schedule, fleet.nowMs, fleet.settings.workers)
  scale(draft, { nowMs: fleet.nowMs, intervalMs, target: fleet.target, ...limits, signals: fleetSignals(fleet), ceiling })
  balance(draft)
}

function takeIn(draft: Draft, samples: readonly Sample[]): void {
  const { fleet } = draft
  const byId = new Map(samples.map((sample) => [sample.workerId, sample]))
  const histograms: LatencyCounts[] = []
  fleet.workers = fleet.workers.map((worker) => {
    const sample = byId.get(worker.id)
    if (!sample) return worker
    const { cpu, memoryBytes, report } = sample
    if (report === null) return { ...worker, cpu, memoryBytes }
    if (report.latencies.length > 0) histograms.push(report.latencies)
    return { ...worker, cpu, memoryBytes, report, reportAtMs: fleet.nowMs }
  })
  fleet.latencies = [...fleet.latencies, merge(histograms)].slice(-LATENCY_TICKS)
}

/** What is known of a ready worker now; a report that is too old is as good as none. */
export function factsOf(fleet: Fleet, worker: Worker): WorkerFacts {
  const fresh = isFresh(worker.reportAtMs, fleet.nowMs, fleet.settings.tickMs)
  const memory = worker.memoryBytes === null ? null : worker.memoryBytes / fleet.settings.workers.memoryLimitBytes
  return { workerId: worker.id, cpu: worker.cpu, memory, report: fresh ? worker.report : null }
}

export function fleetSignals(fleet: Fleet): Signals {
  const ready = fleet.workers.filter(isReady).map((worker) => factsOf(fleet, worker))
  return readSignals(ready, warming(fleet), fleet.latencies)
}

export function currentCeiling(fleet: Fleet): Ceiling {
  const memoryBytes = fleet.workers.flatMap((worker) => worker.memoryBytes ?? [])
  const { capacity, workers } = fleet.settings
  return ceilingOf({ capacity, usage: fleet.usage, oversubscribe: workers.oversubscribe, processes: fleet.workers.length, memoryBytes })
}

/** A spare costs memory and no CPU, so only memory can forbid it; while it is there, its own memory is in use already. */
function spareTarget(fleet: Fleet): number {
  const { workers, capacity } = fleet.settings
  if (workers.spares !== 'auto') return workers.spares
  const used = fleet.usage.memoryBytes
  return used !== null && used < capacity.memoryBytes * ROOMY_MEMORY_SHARE ? 1 : 0
}

function scale(draft: Draft, input: ScaleInput): void {
  const { fleet } = draft
  const verdict = decide(fleet.scale, input, fleet.settings.scaling)
  fleet.scale = verdict.state
  if (fleet.mode === 'manual') {
    fleet.standing = {
      ...verdict.decision,
      to: fleet.target,
      lane: 'manual',
      heldBackBy: ['manual: the size was set by hand; `scale auto` gives it back'],
    }
    return
  }
  fleet.standing = verdict.decision
  if (!verdict.news) return
  fleet.decisions = [...fleet.decisions, verdict.decision].slice(-DECISIONS_KEPT)
  draft.notes.push({ kind: 'fleet:decided', decision: verdict.decision })
  if (verdict.decision.to === fleet.target) return
  draft.notes.push({ kind: 'fleet:scaled', from: fleet.target, to: verdict.decision.to, reason: verdict.decision.reason })
  fleet.target = verdict.decision.to
}

function balance(draft: Draft): void {
  const ready = draft.fleet.workers.filter((worker) => isReady(worker) && worker.leaving === null)
  const loads = ready.flatMap((worker) => {
    const { report } = factsOf(draft.fleet, worker)
    return report ? [{ workerId: worker.id, movable: report.connections - report.sockets }] : []
  })
  for (const shed of chooseSheds(loads)) draft.commands.push({ kind: 'shed', ...shed })
}
