import type { Sample, Usage } from '../policy/sample.ts'
import type { Arrivals } from './arrivals.ts'
import { type Backends, VirtualPool } from './database.ts'
import type { Random } from './random.ts'
import { createLoad, type Fault, type FaultKind, type Scenario } from './scenario.ts'
import { levelOut, shareCores, stretchOf } from './share-cores.ts'
import { VirtualSockets } from './sockets.ts'
import { type Told, createTold } from './told.ts'
import { VirtualWorker } from './virtual-worker.ts'

/** Requests, each counted once: what arrived was answered, was cut with its worker, or is still on its way. */
export interface Ledger {
  readonly arrived: number
  readonly answered: number
  readonly cut: number
  readonly waiting: number
}

const SLOW_DATABASE_FACTOR = 10
const NEIGHBOUR_SHARE = 0.5
/** The kernel lets nobody starve. */
const LEAST_CPUS = 0.1
/** The deadline that coordination with Redis gives itself. */
const REDIS_DEADLINE_MS = 500

/** The machine: workers, the cores and the memory they share, the requests that come in. */
export class Workplace {
  readonly workers: Map<number, VirtualWorker> = new Map()
  /** The same, for those who go through all of them many times a second. */
  #all: readonly VirtualWorker[] = []
  readonly #scenario: Scenario
  readonly #arrivals: Arrivals
  /** Null where nobody limits the connections: then they are not counted. */
  readonly #backends: Backends | null
  readonly #othersCpus: (atMs: number) => number
  readonly #told: (atMs: number) => Told
  #arrived = 0
  #answered = 0
  #cut = 0
  /** Connections that wait in the listening socket because nobody accepts. */
  #atTheDoor = 0
  /** Clients of a worker that drains, on their way to another. */
  #returning = 0

  constructor(scenario: Scenario, arrivals: Arrivals, backends: Backends | null) {
    this.#scenario = scenario
    this.#arrivals = arrivals
    this.#backends = backends
    this.#told = createTold(scenario)
    this.#othersCpus = createLoad((scenario.host.others ?? []).map(({ atMs, cpus }) => ({ atMs, requestsPerSecond: cpus, step: true })))
  }

  ledger(): Ledger {
    let waiting = this.#atTheDoor
    for (const worker of this.#all) waiting += worker.queue
    return { arrived: this.#arrived, answered: this.#answered, cut: this.#cut, waiting }
  }

  inForce(kind: FaultKind, nowMs: number): Fault | undefined {
    if (this.#scenario.faults.length === 0) return undefined
    return this.#scenario.faults.find((fault) => fault.kind === kind && fault.atMs <= nowMs && nowMs < fault.atMs + fault.forMs)
  }

  hire(workerId: number, worker: { generation: number; accepting: boolean; nowMs: number }): VirtualWorker {
    const { request, worker: model } = this.#scenario
    const { generation, accepting, nowMs: forkedAtMs } = worker
    const hired = new VirtualWorker({ workerId, forkedAtMs, generation, accepting }, request, model)
    if (this.#scenario.sockets) hired.sockets = new VirtualSockets(this.#scenario.sockets)
    if (this.#backends) hired.pool = new VirtualPool(workerId, this.#backends)
    this.workers.set(workerId, hired)
    this.#all = [...this.workers.values()]
    return hired
  }

  /** A worker is gone, and what it held with it. */
  dismiss(worker: VirtualWorker, nowMs: number, isOrderly: boolean): void {
    this.workers.delete(worker.workerId)
    this.#all = [...this.workers.values()]
    if (worker.pool) this.#backends?.orphan(worker.pool, nowMs, isOrderly)
    this.#cut += worker.queue
  }

  /** Lets a fault meet one worker; null where that one is not there. */
  strike({ kind, worker: which, forMs }: Fault, random: Random, nowMs: number): VirtualWorker | null {
    const there = [...this.workers.keys()]
    const workerId = which === 'any' ? there[random.below(there.length)] : which
    const worker = this.workers.get(workerId ?? -1)
    if (!worker) return null
    if (kind === 'hang') worker.hung = true
    if (kind === 'drop-reports') worker.reportsLostUntilMs = nowMs + forMs
    if (kind === 'late-reports') worker.reportsLateUntilMs = nowMs + forMs
    return worker
  }

  /** Lets `sliceMs` pass that end at `nowMs`. */
  pass(nowMs: number, sliceMs: number): void {
    this.#arrive(nowMs, sliceMs)
    const { host, worker: model } = this.#scenario
    const cpuShare = model.cpuShare ?? 1
    const workers = this.#all
    const free = Math.max(LEAST_CPUS, host.cpus - this.#othersCpus(nowMs))
    const cpus = free * (this.inForce('busy-neighbour', nowMs) ? NEIGHBOUR_SHARE : 1)
    const { shares, limitMs } = shareCores(
      workers.map((worker) => worker.wantsMs(sliceMs)),
      (cpus * sliceMs) / cpuShare,
    )
    let usedMs = ((host.cpus - cpus) * sliceMs) / cpuShare
    for (const share of shares) usedMs += share
    const waitMs = this.#waitMs(workers, nowMs)
    for (let index = 0; index < workers.length; index++) {
      const worker = workers[index] as VirtualWorker
      const share = shares[index] as number
      if (worker.state === 'booting') {
        worker.boot(share, sliceMs)
        continue
      }
      const crowd = worker.pool?.crowd ?? 1
      const othersShare = Math.min(1, ((usedMs - share) * cpuShare) / (host.cpus * sliceMs))
      const stretch = Math.max(stretchOf(othersShare, host.cpus), sliceMs / limitMs)
      const answered = worker.run({ nowMs, sliceMs, grantedMs: share, stretch, waitMs: waitMs * crowd })
      this.#answered += answered
      if (worker.sockets && !worker.hung) this.#passSockets(worker, worker.sockets, answered, sliceMs)
      if (!worker.hung) worker.pool?.turn(worker.away, nowMs)
    }
  }

  #passSockets({ state }: VirtualWorker, sockets: VirtualSockets, answered: number, sliceMs: number): void {
    sockets.greet(answered)
    this.#returning += sockets.pass(sliceMs, state === 'draining')
  }

  #arrive(nowMs: number, sliceMs: number): void {
    const arriving = this.#arrivals.next(nowMs, sliceMs) + this.#returning
    this.#returning = 0
    this.#arrived += arriving
    const open = this.#all.filter((worker) => worker.state === 'listening' && worker.accepting && !worker.hung)
    const requests = arriving + this.#atTheDoor
    this.#atTheDoor = open.length === 0 ? requests : 0
    if (open.length === 0 || requests === 0) return
    // Sessions that ask much were made when the oldest was alone; what is free goes to whoever has the least.
    const hot = Math.round(requests * (this.#scenario.sessions?.hotShare ?? 0))
    open[0]?.accept(nowMs - sliceMs / 2, hot)
    const given = levelOut(
      open.map((worker) => worker.connections),
      requests - hot,
    )
    for (let index = 0; index < open.length; index++) open[index]?.accept(nowMs - sliceMs / 2, given[index] as number)
  }

  /** Time that a request waits elsewhere: longer while more of them wait than the database works on. */
  #waitMs(workers: readonly VirtualWorker[], nowMs: number): number {
    const { request, database } = this.#scenario
    let away = 0
    // Who has no connection yet does not trouble it.
    for (const { away: waiting, pool } of workers) away += pool ? Math.min(waiting, Math.max(1, pool.open)) : waiting
    const crowd = Math.max(1, away / database.concurrency)
    const slow = this.inForce('slow-database', nowMs) ? SLOW_DATABASE_FACTOR : 1
    const redis = this.inForce('redis-away', nowMs) ? REDIS_DEADLINE_MS : 0
    return request.waitMs * crowd * slow + redis
  }

  sample(nowMs: number, tickMs: number): { samples: Sample[]; usage: Usage } {
    // What a container uses is all that runs in it.
    let cpus = this.#othersCpus(nowMs)
    let memoryBytes = 0
    const told = this.#told(nowMs)
    const samples = this.#all.map((worker): Sample => {
      const { cpu, report } = worker.look(tickMs, told)
      cpus += cpu
      memoryBytes += worker.memoryBytes
      const lost = nowMs < worker.reportsLostUntilMs
      const late = nowMs < worker.reportsLateUntilMs
      const arrived = late ? worker.late : report
      worker.late = late ? report : null
      return { workerId: worker.workerId, cpu, memoryBytes: worker.memoryBytes, report: lost ? null : arrived }
    })
    return { samples, usage: { cpus: Math.min(cpus, this.#scenario.host.cpus), memoryBytes } }
  }
}
