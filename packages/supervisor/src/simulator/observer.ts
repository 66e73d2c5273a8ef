import type { Fleet } from '../fleet/fleet.ts'
import { type LatencyCounts, merge, percentileMs } from '../policy/latency.ts'
import { type Detail, Moments } from './moments.ts'
import type { Plan } from './plan.ts'
import type { Ledger } from './workplace.ts'
import type { Turn } from './turn.ts'

/** Sums over a whole run. */
export interface Totals {
  /** Of all processes, spares and those that come and go included. */
  readonly workerHours: number
  readonly sloViolationS: number
  readonly maxQueue: number
  readonly maxReady: number
  readonly replicaHours: number
  readonly maxReplicas: number
  /** By off-hours of the platform's schedule. */
  readonly savedReplicaHours: number
}

/** Watches a run, tick by tick. */
export class Observer {
  readonly timeline: Moments = new Moments()
  readonly #plan: Plan
  readonly #keepsMoments: boolean
  #workerMs = 0
  #violationMs = 0
  #maxQueue = 0
  #maxReady = 0
  #arrived = 0
  #replicaMs = 0
  #maxReplicas = 1
  #savedMs = 0
  #answered = 0

  /** Who wants sums only leaves the timeline empty. */
  constructor(plan: Plan, keepsMoments = true) {
    this.#plan = plan
    this.#keepsMoments = keepsMoments
  }

  see(turn: Pick<Turn, 'fleet' | 'event' | 'ledger' | 'atMs'>): void {
    if (turn.event.kind !== 'sampled') return
    this.observe([turn.fleet], turn.ledger, turn.atMs)
  }

  /** All replicas at one tick, and how many the schedule spares. */
  observe(fleets: readonly Fleet[], ledger: Ledger, atMs: number, spared = 0): void {
    const { tickMs } = this.#plan
    const moment = this.#momentOf(fleets, ledger, atMs)
    if (this.#keepsMoments) this.timeline.add(moment)
    for (const { workers } of fleets) this.#workerMs += workers.length * tickMs
    this.#replicaMs += fleets.length * tickMs
    this.#savedMs += spared * tickMs
    this.#maxReplicas = Math.max(this.#maxReplicas, fleets.length)
    this.#maxQueue = Math.max(this.#maxQueue, moment.queue ?? 0)
    this.#maxReady = Math.max(this.#maxReady, moment.ready)
    if (this.#isOverObjective(moment.p95Ms, ledger)) this.#violationMs += tickMs
    this.#answered = ledger.answered
    this.#arrived = ledger.arrived
  }

  totals(): Totals {
    return {
      workerHours: rounded(this.#workerMs / 3_600_000),
      sloViolationS: rounded(this.#violationMs / 1000),
      maxQueue: rounded(this.#maxQueue),
      maxReady: this.#maxReady,
      replicaHours: rounded(this.#replicaMs / 3_600_000),
      maxReplicas: this.#maxReplicas,
      savedReplicaHours: rounded(this.#savedMs / 3_600_000),
    }
  }

  /** Slow answers; and none at all while somebody waits. */
  #isOverObjective(p95Ms: number | null, ledger: Ledger): boolean {
    if (p95Ms !== null) return p95Ms > this.#plan.objectiveMs
    return ledger.waiting > 0 && ledger.answered === this.#answered && this.#answered > 0
  }

  #momentOf(fleets: readonly Fleet[], ledger: Ledger, atMs: number): Detail {
    const counts = { ready: 0, booting: 0, spare: 0, draining: 0, killing: 0, vacant: 0 }
    const cpu = new Mean()
    const queue = new Mean()
    const memory = new Mean()
    const busy = new Mean()
    const delay = new Mean()
    for (const fleet of fleets) {
      const { memoryLimitBytes } = fleet.settings.workers
      for (const { life, cpu: share, report, memoryBytes, reportAtMs } of fleet.workers) {
        counts[life.kind]++
        if (life.kind !== 'ready') continue
        cpu.add(share)
        memory.add(memoryBytes === null ? null : memoryBytes / memoryLimitBytes)
        if (reportAtMs !== fleet.sampledAtMs) continue
        queue.add(report?.queue ?? null)
        busy.add(report?.eventLoopUtilization ?? null)
        delay.add(report?.eventLoopDelayP99Ms ?? null)
      }
    }
    const [first] = fleets
    const latencies = fleets.length === 1 ? first?.latencies.at(-1) : merge(fleets.flatMap((fleet) => fleet.latencies.slice(-1)))
    return {
      atS: rounded(atMs / 1000),
      ready: counts.ready,
      replicas: fleets.length,
      target: fleets.reduce((sum, { target }) => sum + target, 0),
      cpu: cpu.value(),
      queue: queue.value(),
      p95Ms: p95Of(latencies),
      requestsPerSecond: rounded(((ledger.arrived - this.#arrived) * 1000) / this.#plan.tickMs),
      booting: counts.booting,
      spare: counts.spare,
      draining: counts.draining + counts.killing,
      memory: memory.value(),
      eventLoopUtilization: busy.value(),
      eventLoopDelayMs: delay.value(),
    }
  }
}

function p95Of(latencies: LatencyCounts | undefined): number | null {
  const p95Ms = latencies ? percentileMs(latencies, 0.95) : null
  return p95Ms === null ? null : rounded(p95Ms)
}

class Mean {
  #sum = 0
  #count = 0

  add(value: number | null): void {
    if (value === null) return
    this.#sum += value
    this.#count++
  }

  value(): number | null {
    return this.#count === 0 ? null : rounded(this.#sum / this.#count)
  }
}

export const rounded = (value: number): number => Math.round(value * 1000) / 1000
