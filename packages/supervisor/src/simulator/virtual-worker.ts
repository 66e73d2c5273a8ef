import type { Report } from '../policy/sample.ts'
import type { VirtualPool } from './database.ts'
import { Elsewhere } from './elsewhere.ts'
import { type Course, ResponseTimes } from './response-times.ts'
import type { RequestModel, WorkerModel } from './scenario.ts'
import type { VirtualSockets } from './sockets.ts'
import { type Told, queueTimesOf } from './told.ts'

/** Requests that came in together and wait for the event loop. */
interface Batch {
  arrivedAtMs: number
  count: number
}

/** Older requests that wait are told apart this finely; a longer queue is merged, so that an overload of hours takes no memory. */
const MOST_BATCHES = 32
/** So many callbacks one turn of a busy event loop takes up before it looks at its timers again. */
const CALLBACKS_PER_TURN = 16

/** One slice of the time that the host gives. */
export interface Slice {
  readonly nowMs: number
  readonly sliceMs: number
  /** Core time for this worker. */
  readonly grantedMs: number
  /** By how much it takes longer, at least 1: now and then no core is free. */
  readonly stretch: number
  readonly waitMs: number
}

/**
 * One process: a queue in front of one event loop. Each request takes its time on the loop, in order, then waits elsewhere, then is
 * answered. Requests are moved in batches, and every single one is counted.
 */
export class VirtualWorker {
  readonly workerId: number
  readonly forkedAtMs: number
  readonly generation: number
  state: 'booting' | 'listening' | 'draining' = 'booting'
  accepting: boolean
  /** Clients that stay connected, where there are such. */
  sockets: VirtualSockets | null = null
  /** Its database connections, where they are limited. */
  pool: VirtualPool | null = null
  hung = false
  /** By how much its boot takes longer than on a free core. */
  bootDelayMs = 0
  reportsLostUntilMs = 0
  reportsLateUntilMs = 0
  /** A report that is still on its way. */
  late: Report | null = null
  readonly #request: RequestModel
  readonly #model: WorkerModel
  readonly #onLoop: Batch[] = []
  readonly #elsewhere = new Elsewhere()
  readonly #times: ResponseTimes
  readonly #take = (course: Course, count: number): void => this.#times.addCourse(course, count)
  #waiting = 0
  #away = 0
  #savedMs = 0
  #busyMs = 0
  /** The same, with the time in which it waits for a core: a loop cannot tell them apart. */
  #loopMs = 0
  #answered = 0
  #garbageBytes = 0
  #leakedBytes = 0
  #longestPauseMs = 0
  #utilization = 0

  constructor(worker: { workerId: number; forkedAtMs: number; generation: number; accepting: boolean }, request: RequestModel, model: WorkerModel) {
    this.workerId = worker.workerId
    this.forkedAtMs = worker.forkedAtMs
    this.generation = worker.generation
    this.accepting = worker.accepting
    this.#request = request
    this.#model = model
    this.#times = new ResponseTimes(
      request.waitsMs?.map((waitMs) => waitMs - request.waitMs),
      request.queueingShare,
    )
  }

  /** Requests received and not yet answered. */
  get queue(): number {
    return this.#waiting + this.#away
  }

  /** What a balancer among workers goes by. */
  get connections(): number {
    return this.queue + (this.sockets?.open ?? 0)
  }

  get away(): number {
    return this.#away
  }

  get memoryBytes(): number {
    return (
      this.#model.memoryBytes +
      this.#garbageBytes +
      this.#leakedBytes +
      this.queue * this.#model.memoryPerRequestBytes +
      (this.sockets?.memoryBytes ?? 0)
    )
  }

  /** Time on its loop that it would use in a slice if nobody else wanted a core. */
  wantsMs(sliceMs: number): number {
    if (this.hung) return sliceMs // it runs, but in circles
    if (this.state === 'booting') return Math.min(sliceMs, (sliceMs * (this.#model.bootCpus ?? 0)) / (this.#model.cpuShare ?? 1))
    return Math.min(sliceMs, this.#idleMs(sliceMs) + Math.max(0, this.#waiting * this.#request.cpuMs - this.#savedMs))
  }

  accept(arrivedAtMs: number, requests: number): void {
    if (requests === 0) return
    this.#waiting += requests
    const last = this.#onLoop.at(-1)
    if (last?.count === 0) {
      last.arrivedAtMs = arrivedAtMs
      last.count = requests
    } else if (last && (last.arrivedAtMs === arrivedAtMs || this.#onLoop.length >= MOST_BATCHES)) {
      last.arrivedAtMs = (last.arrivedAtMs * last.count + arrivedAtMs * requests) / (last.count + requests)
      last.count += requests
    } else this.#onLoop.push({ arrivedAtMs, count: requests })
  }

  /** Loads and compiles its code; with less of a core than that takes, it takes longer. */
  boot(grantedMs: number, sliceMs: number): void {
    this.#busyMs += grantedMs * (this.#model.cpuShare ?? 1)
    const wantedMs = this.wantsMs(sliceMs)
    if (wantedMs > 0) this.bootDelayMs += sliceMs * (1 - grantedMs / wantedMs)
  }

  /** Lets the loop run for a slice that ends at `nowMs`. Answers how many requests were answered. */
  run(slice: Slice): number {
    this.#busyMs += slice.grantedMs * (this.#model.cpuShare ?? 1)
    const loopMs = Math.min(slice.sliceMs, slice.grantedMs * slice.stretch)
    this.#loopMs += loopMs
    if (this.hung) return 0
    const { cpuMs } = this.#request
    const hadMs = Math.max(0, slice.grantedMs - this.#idleMs(slice.sliceMs)) + this.#savedMs
    const served = Math.min(this.#waiting, cpuMs > 0 ? Math.floor(hadMs / cpuMs + 1e-9) : this.#waiting)
    this.#utilization = loopMs / slice.sliceMs
    this.#serve(served, slice)
    // A request that needs more than a slice saves up for it; an idle loop saves nothing.
    this.#savedMs = this.#waiting > 0 ? Math.max(0, hadMs - served * cpuMs) : 0
    this.#collectGarbage(served)
    return this.#answerDue(slice.nowMs)
  }

  /** What it does whether it is asked or not. */
  #idleMs(sliceMs: number): number {
    return sliceMs * (this.#model.idleShare ?? 0) + (this.sockets?.wantsMs(sliceMs) ?? 0)
  }

  #serve(served: number, { nowMs, sliceMs, stretch, waitMs }: Slice): void {
    // Cores that are shared make every request on them slower.
    const serviceMs = this.#request.cpuMs * stretch
    let left = served
    this.#waiting -= served
    this.#away += served
    while (left > 0) {
      const batch = this.#onLoop[0] as Batch
      const count = Math.min(left, batch.count)
      const queuedMs = Math.max(0, nowMs - sliceMs / 2 - batch.arrivedAtMs)
      const baseMs = queuedMs + serviceMs + waitMs
      const fromMs = nowMs - sliceMs + waitMs
      const toMs = nowMs + waitMs
      this.#elsewhere.add({ baseMs, serviceMs, utilization: this.#utilization, fromMs, toMs, count, answered: 0 })
      left -= count
      batch.count -= count
      // As good as always it is the only one, and serves again for what comes next.
      if (batch.count === 0 && this.#onLoop.length > 1) this.#onLoop.shift()
    }
  }

  #collectGarbage(served: number): void {
    const { gcEveryBytes, gcPauseMs, memoryPerRequestBytes, leakPerRequestBytes } = this.#model
    this.#leakedBytes += served * leakPerRequestBytes
    this.#garbageBytes += served * memoryPerRequestBytes
    if (this.#garbageBytes < gcEveryBytes) return
    this.#garbageBytes = 0
    this.#savedMs -= gcPauseMs
    this.#longestPauseMs = Math.max(this.#longestPauseMs, gcPauseMs)
  }

  #answerDue(nowMs: number): number {
    const sum = this.#elsewhere.answerDue(nowMs, this.#take)
    this.#away -= sum
    this.#answered += sum
    return sum
  }

  /** Ends an interval: what is seen of it from outside, and what it says of itself, null when it cannot. */
  look(intervalMs: number, told: Told): { readonly cpu: number; readonly report: Report | null } {
    const cpu = Math.min(1, this.#busyMs / intervalMs)
    this.#busyMs = 0
    return { cpu, report: this.state === 'booting' || this.hung ? null : this.#report(intervalMs, told) }
  }

  #report(intervalMs: number, told: Told): Report {
    const perTurn = 1 + Math.min(this.#waiting, CALLBACKS_PER_TURN - 1)
    const report: Report = {
      intervalMs,
      eventLoopUtilization: Math.min(1, this.#loopMs / intervalMs),
      eventLoopDelayP99Ms: Math.max(this.#longestPauseMs, this.#request.cpuMs * this.#utilization * perTurn),
      queue: this.queue,
      requests: this.#answered,
      connections: this.connections,
      sockets: this.sockets?.open ?? 0,
      latencies: this.#times.take(),
      database: null,
      queueTimes: queueTimesOf(told, this.#answered),
      signals: told.signals,
    }
    this.#answered = 0
    this.#loopMs = 0
    this.#longestPauseMs = 0
    return report
  }
}
