import { bucketOf } from '../policy/latency.ts'
import type { Report } from '../policy/sample.ts'

/** Requests that came in together. */
interface Batch {
  readonly arrivedAtMs: number
  readonly count: number
  /** When what they wait for elsewhere is there. */
  readonly dueAtMs: number
}

/**
 * One process: a queue in front of one event loop. Each request takes its time on the loop, in order, then waits elsewhere, then is
 * answered.
 */
export class VirtualWorker {
  readonly workerId: number
  readonly forkedAtMs: number
  state: 'booting' | 'listening' | 'draining' = 'booting'
  accepting: boolean
  hung = false
  reportsLostUntilMs = 0
  #onLoop: Batch[] = []
  #elsewhere: Batch[] = []
  #queue = 0
  #savedMs = 0
  #busyMs = 0
  #answered = 0
  #latencies = new Map<number, number>()

  constructor(workerId: number, forkedAtMs: number, accepting: boolean) {
    this.workerId = workerId
    this.forkedAtMs = forkedAtMs
    this.accepting = accepting
  }

  /** Requests received and not yet answered. */
  get queue(): number {
    return this.#queue
  }

  accept(arrivedAtMs: number, requests: number): void {
    this.#queue += requests
    const last = this.#onLoop.at(-1)
    if (last?.arrivedAtMs === arrivedAtMs) this.#onLoop[this.#onLoop.length - 1] = { ...last, count: last.count + requests }
    else this.#onLoop.push({ arrivedAtMs, count: requests, dueAtMs: 0 })
  }

  /** Lets the loop run for `sliceMs` that end at `nowMs`. Answers how many requests were answered. */
  run(nowMs: number, sliceMs: number, request: { readonly cpuMs: number; readonly waitMs: number }): number {
    if (this.hung) return 0
    let leftMs = sliceMs + this.#savedMs
    while (this.#onLoop.length > 0 && leftMs >= request.cpuMs) {
      const batch = this.#onLoop.shift() as Batch
      const done = Math.min(batch.count, Math.max(1, Math.floor(leftMs / Math.max(request.cpuMs, 0.001))))
      leftMs -= done * request.cpuMs
      this.#busyMs += done * request.cpuMs
      this.#elsewhere.push({ ...batch, count: done, dueAtMs: nowMs + request.waitMs })
      if (done < batch.count) this.#onLoop.unshift({ ...batch, count: batch.count - done })
    }
    // A request that needs more than a slice saves up for it; an idle loop saves nothing.
    this.#savedMs = this.#onLoop.length > 0 ? leftMs : 0
    return this.#answerDue(nowMs, request.cpuMs)
  }

  #answerDue(nowMs: number, cpuMs: number): number {
    const due = this.#elsewhere.filter((batch) => batch.dueAtMs <= nowMs)
    this.#elsewhere = this.#elsewhere.filter((batch) => batch.dueAtMs > nowMs)
    for (const batch of due) {
      const bucket = bucketOf(nowMs - batch.arrivedAtMs + cpuMs)
      this.#latencies.set(bucket, (this.#latencies.get(bucket) ?? 0) + batch.count)
    }
    const answered = due.reduce((sum, batch) => sum + batch.count, 0)
    this.#answered += answered
    this.#queue -= answered
    return answered
  }

  /** What it says of itself since it was last asked; null when it cannot, or when that is lost. */
  report(nowMs: number, intervalMs: number, cpuMs: number): Report | null {
    if (this.state === 'booting' || this.hung) return null
    const utilization = Math.min(1, this.#busyMs / intervalMs)
    const report: Report = {
      intervalMs,
      eventLoopUtilization: utilization,
      eventLoopDelayP99Ms: utilization < 1 ? cpuMs * utilization : cpuMs * 2,
      queue: this.queue,
      requests: this.#answered,
      connections: this.queue,
      sockets: 0,
      latencies: [...this.#latencies].sort(([a], [b]) => a - b).flat(),
      database: null,
      signals: {},
    }
    this.#answered = 0
    this.#busyMs = 0
    this.#latencies = new Map()
    return nowMs < this.reportsLostUntilMs ? null : report
  }

  busyShare(intervalMs: number): number {
    return Math.min(1, this.#busyMs / intervalMs)
  }
}
