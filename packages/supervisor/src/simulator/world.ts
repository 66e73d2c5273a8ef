import type { Command } from '../fleet/command.ts'
import type { FleetEvent } from '../fleet/event.ts'
import { type Fleet, type FleetSettings, initialFleet } from '../fleet/fleet.ts'
import { type Step, step, wakeAtMs } from '../fleet/step.ts'
import { type Random, createRandom } from './random.ts'
import { type Fault, type Scenario, requestsPerSecondAt } from './scenario.ts'
import { VirtualWorker } from './virtual-worker.ts'

type Unstamped<Event> = Event extends unknown ? Omit<Event, 'nowMs'> : never
type NewEvent = Unstamped<FleetEvent>

/** Load and event loops move on in slices of this length. */
const SLICE_MS = 100
const FORK_MS = 5
const LAST_BREATH_MS = 10
const DIAGNOSIS_MS = 500
const SLOW_BOOT_FACTOR = 10

/** Requests, each counted once: what arrived was answered, was cut with its worker, or is still on its way. */
export interface Ledger {
  readonly arrived: number
  readonly answered: number
  readonly cut: number
  readonly waiting: number
}

export interface Turn extends Step {
  readonly event: FleetEvent
  readonly ledger: Ledger
}

interface Planned {
  readonly atMs: number
  readonly act: () => void
}

/**
 * The virtual edge: carries out commands in virtual time, and drives `step` as the real one does, `wakeAtMs` included. Two worlds
 * with the same scenario and settings live the same life.
 */
export class World {
  fleet: Fleet
  nowMs = 0
  readonly #scenario: Scenario
  readonly #random: Random
  readonly #see: (turn: Turn) => void
  readonly #workers = new Map<number, VirtualWorker>()
  #planned: Planned[] = []
  #ended = false
  #arrived = 0
  #answered = 0
  #cut = 0
  /** Connections that wait in the listening socket because nobody accepts. */
  #atTheDoor = 0
  #fraction = 0

  constructor(settings: FleetSettings, scenario: Scenario, see: (turn: Turn) => void) {
    this.fleet = initialFleet(settings)
    this.#scenario = scenario
    this.#random = createRandom(scenario.seed)
    this.#see = see
    for (const request of scenario.requests) this.#at(request.atMs, () => this.#dispatch(request.event))
    for (const fault of scenario.faults) this.#at(fault.atMs, () => this.#inject(fault))
    this.#every(SLICE_MS, () => this.#slice())
    this.#every(settings.tickMs, () => this.#sample())
    this.#at(0, () => this.#dispatch({ kind: 'started' }))
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Lives on until `untilMs`, or until the fleet has ended. */
  run(untilMs: number): void {
    while (!this.#ended) {
      const next = this.#planned.reduce<Planned | null>((first, each) => (first === null || each.atMs < first.atMs ? each : first), null)
      const wakeMs = wakeAtMs(this.fleet) ?? Number.POSITIVE_INFINITY
      const atMs = Math.min(next?.atMs ?? Number.POSITIVE_INFINITY, wakeMs)
      if (atMs > untilMs) break
      this.nowMs = Math.max(this.nowMs, atMs)
      if (!next || wakeMs < next.atMs) {
        this.#dispatch({ kind: 'woken' })
        continue
      }
      this.#planned = this.#planned.filter((each) => each !== next)
      next.act()
    }
  }

  #at(atMs: number, act: () => void): void {
    this.#planned.push({ atMs, act })
  }

  #every(intervalMs: number, act: () => void): void {
    const again = (): void => {
      act()
      this.#at(this.nowMs + intervalMs, again)
    }
    this.#at(intervalMs, again)
  }

  #dispatch(event: NewEvent): void {
    const stamped = { ...event, nowMs: this.nowMs } as FleetEvent
    const turn = step(this.fleet, stamped)
    this.fleet = turn.fleet
    for (const command of turn.commands) this.#execute(command)
    this.#see({ ...turn, event: stamped, ledger: this.#ledger() })
  }

  #ledger(): Ledger {
    const inWorkers = [...this.#workers.values()].reduce((sum, worker) => sum + worker.queue, 0)
    return { arrived: this.#arrived, answered: this.#answered, cut: this.#cut, waiting: inWorkers + this.#atTheDoor }
  }

  #execute(command: Command): void {
    switch (command.kind) {
      case 'fork':
        return this.#fork(command.workerId, command.role)
      case 'promote':
        return this.#with(command.workerId, (worker) => {
          worker.accepting = true
        })
      case 'drain':
        return this.#with(command.workerId, (worker) => {
          worker.accepting = false
          worker.state = 'draining'
        })
      case 'kill':
        return this.#at(this.nowMs + LAST_BREATH_MS, () => this.#exit(command.workerId, null, 'SIGKILL'))
      case 'diagnose':
        return this.#at(this.nowMs + DIAGNOSIS_MS, () => this.#dispatch({ kind: 'diagnosed', workerId: command.workerId, reportPath: null }))
      case 'probe':
        return this.#with(command.workerId, ({ hung }) => {
          const { workerId, timeoutMs } = command
          this.#at(this.nowMs + (hung ? timeoutMs : 1), () =>
            this.#dispatch({ kind: 'probed', workerId, healthy: !hung, detail: hung ? 'no answer' : '' }),
          )
        })
      case 'exit':
        this.#ended = true
        return
      case 'shed':
      case 'answer':
      case 'publish':
        return
    }
  }

  #fork(workerId: number, role: 'worker' | 'spare'): void {
    const worker = new VirtualWorker(workerId, this.nowMs, role === 'worker')
    this.#workers.set(workerId, worker)
    const bootMs = this.#scenario.worker.bootMs * (0.8 + 0.4 * this.#random.next()) * (this.#inForce('slow-boot') ? SLOW_BOOT_FACTOR : 1)
    const fails = this.#inForce('boot-crash')
    this.#at(this.nowMs + FORK_MS, () => this.#dispatch({ kind: 'forked', workerId, pid: 1000 + workerId }))
    this.#at(this.nowMs + FORK_MS + bootMs, () => {
      if (worker.state !== 'booting' || worker.hung || !this.#workers.has(workerId)) return
      if (fails) return this.#exit(workerId, 1, null)
      worker.state = 'listening'
      this.#dispatch({ kind: 'readied', workerId })
    })
  }

  #inForce(kind: Fault['kind']): boolean {
    return this.#scenario.faults.some((fault) => fault.kind === kind && fault.atMs <= this.nowMs && this.nowMs < fault.atMs + fault.forMs)
  }

  #inject(fault: Fault): void {
    const there = [...this.#workers.keys()]
    const workerId = fault.worker === 'any' ? there[this.#random.below(there.length)] : fault.worker
    const worker = this.#workers.get(workerId ?? -1)
    if (!worker) return
    if (fault.kind === 'crash') this.#exit(worker.workerId, 1, null)
    if (fault.kind === 'hang') worker.hung = true
    if (fault.kind === 'drop-reports') worker.reportsLostUntilMs = this.nowMs + fault.forMs
  }

  /** Once only: a worker may crash while it is being killed. */
  #exit(workerId: number, code: number | null, signal: string | null): void {
    this.#with(workerId, (worker) => {
      this.#workers.delete(workerId)
      this.#cut += worker.queue
      const lastStderrLines = code === 1 ? ['Error: a fault of the simulator'] : []
      this.#dispatch({ kind: 'exited', workerId, code, signal, cause: null, lastStderrLines })
    })
  }

  #slice(): void {
    const { load, request, host } = this.#scenario
    this.#fraction += (requestsPerSecondAt(load, this.nowMs) * SLICE_MS) / 1000
    const arriving = Math.floor(this.#fraction)
    this.#fraction -= arriving
    this.#arrived += arriving
    this.#hand(arriving + this.#atTheDoor)
    const running = [...this.#workers.values()].filter((worker) => worker.state !== 'booting')
    const shareMs = Math.min(SLICE_MS, (SLICE_MS * host.cpus) / Math.max(1, running.length))
    for (const worker of running) this.#answered += worker.run(this.nowMs, shareMs, request)
    for (const worker of this.#workers.values()) {
      if (worker.state === 'draining' && !worker.hung && worker.queue === 0) this.#leave(worker.workerId)
    }
  }

  /** The least busy accepts first, since its loop turns first. What nobody accepts waits in the socket. */
  #hand(requests: number): void {
    const open = [...this.#workers.values()].filter((worker) => worker.state === 'listening' && worker.accepting && !worker.hung)
    this.#atTheDoor = open.length === 0 ? requests : 0
    for (let left = open.length === 0 ? 0 : requests; left > 0; left--) leastBusy(open).accept(this.nowMs, 1)
  }

  #leave(workerId: number): void {
    this.#dispatch({ kind: 'drained', workerId, cutConnections: 0, cutRequests: 0 })
    this.#exit(workerId, 0, null)
  }

  #sample(): void {
    const { worker: each, request } = this.#scenario
    const { tickMs } = this.fleet.settings
    let usedBytes = 0
    let usedCpus = 0
    const samples = [...this.#workers.values()].map((worker) => {
      const memoryBytes = each.memoryBytes + worker.queue * each.memoryPerRequestBytes
      const cpu = worker.busyShare(tickMs)
      usedBytes += memoryBytes
      usedCpus += cpu
      return { workerId: worker.workerId, cpu, memoryBytes, report: worker.report(this.nowMs, tickMs, request.cpuMs) }
    })
    this.#dispatch({ kind: 'sampled', wallMs: this.nowMs, samples, usage: { cpus: usedCpus, memoryBytes: usedBytes } })
  }

  #with(workerId: number, act: (worker: VirtualWorker) => void): void {
    const worker = this.#workers.get(workerId)
    if (worker) act(worker)
  }
}

function leastBusy(workers: readonly VirtualWorker[]): VirtualWorker {
  return workers.reduce((least, worker) => (worker.queue < least.queue ? worker : least))
}
