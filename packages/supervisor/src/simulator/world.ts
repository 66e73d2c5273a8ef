import type { Command } from '../fleet/command.ts'
import type { FleetEvent } from '../fleet/event.ts'
import { type Fleet, type FleetSettings, initialFleet } from '../fleet/fleet.ts'
import { type Step, step, wakeAtMs } from '../fleet/step.ts'
import { Agenda } from './agenda.ts'
import type { Helm } from './helm.ts'
import { type Random, createRandom } from './random.ts'
import type { Fault, FaultKind, Scenario } from './scenario.ts'
import type { VirtualWorker } from './virtual-worker.ts'
import { type Ledger, Workplace } from './workplace.ts'

type Unstamped<Event> = Event extends unknown ? Omit<Event, 'nowMs'> : never
type NewEvent = Unstamped<FleetEvent>

/** Load and event loops move on in slices of this length; long ticks are cut into so many. */
const SLICE_MS = 500
const MOST_SLICES = 5
const FORK_MS = 5
const LAST_BREATH_MS = 10
const DIAGNOSIS_MS = 500
const ANSWER_MS = 200
const NO_BACKENDS = { kind: 'backendsSeen', backends: [], starting: 0, foreign: 0, goneWithinMs: null } as const
const RESENT_AFTER_MS = 1000
const LOST_SHARE = 0.2
const SLOW_BOOT_FACTOR = 10
const DRIFT = 1.1
/** Requests of a pilot are numbered from here on, those of a scenario's operators from one. */
const PILOT_REQUESTS = 1_000_000

export interface Turn extends Step {
  readonly event: FleetEvent
  readonly ledger: Ledger
  /** The time of the world; the primary's own (`event.nowMs`) stands still while the primary does. */
  readonly atMs: number
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
  readonly #workplace: Workplace
  readonly #see: (turn: Turn) => void
  /** What the clock on the wall showed at the start. */
  readonly #startsAtMs: number
  readonly #helm: Helm
  #requests = 0
  readonly #agenda = new Agenda()
  readonly #sliceMs: number
  #pausedUntilMs = 0
  /** How long the primary has stood still so far: by so much its running time is behind. */
  #stoodStillMs = 0
  #ended = false

  constructor(settings: FleetSettings, scenario: Scenario, startsAtMs: number, see: (turn: Turn) => void, helm: Helm = {}) {
    this.fleet = initialFleet(settings)
    this.#scenario = scenario
    this.#random = createRandom(scenario.seed)
    this.#workplace = new Workplace(scenario, createRandom(scenario.seed + 1))
    this.#see = see
    this.#startsAtMs = startsAtMs
    this.#helm = helm
    this.#sliceMs = settings.tickMs / Math.min(MOST_SLICES, Math.ceil(settings.tickMs / SLICE_MS))
    for (const request of scenario.requests) this.#agenda.at(request.atMs, () => this.#dispatch(request.event))
    for (const fault of scenario.faults) this.#agenda.at(fault.atMs, () => this.#inject(fault))
    this.#every(this.#sliceMs, () => this.#slice())
    this.#every(settings.tickMs, () => this.#sample())
    this.#agenda.at(0, () => this.#dispatch({ kind: 'started' }))
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Processes that there are, whatever they do. */
  get processes(): number {
    return this.#workplace.workers.size
  }

  /** Lives on until `untilMs`, or until the fleet has ended. */
  run(untilMs: number): void {
    while (!this.#ended) {
      const wakeMs = Math.max(this.#pausedUntilMs, (wakeAtMs(this.fleet) ?? Number.POSITIVE_INFINITY) + this.#stoodStillMs)
      const nextMs = this.#agenda.nextAtMs
      const atMs = Math.min(nextMs, wakeMs)
      if (atMs > untilMs) break
      this.nowMs = Math.max(this.nowMs, atMs)
      if (wakeMs < nextMs) this.#dispatch({ kind: 'woken' })
      else this.#agenda.actOnNext()
    }
  }

  #every(intervalMs: number, act: () => void): void {
    const again = (): void => {
      act()
      this.#agenda.at(this.nowMs + intervalMs, again)
    }
    this.#agenda.at(intervalMs, again)
  }

  /** What reaches a primary that stands still is taken when it goes on. */
  #dispatch(event: NewEvent): void {
    if (this.#ended) return
    if (this.nowMs < this.#pausedUntilMs) return this.#agenda.at(this.#pausedUntilMs, () => this.#dispatch(event))
    const stamped = { ...event, nowMs: this.nowMs - this.#stoodStillMs } as FleetEvent
    const turn = step(this.fleet, stamped)
    this.fleet = turn.fleet
    for (const command of turn.commands) this.#execute(command)
    this.#see({ fleet: turn.fleet, commands: turn.commands, notes: turn.notes, event: stamped, ledger: this.#workplace.ledger(), atMs: this.nowMs })
  }

  /** A message of a worker: the channel may lose it once, or bring it twice. */
  #receive(event: NewEvent): void {
    if (this.#inForce('lost-messages') && this.#random.next() < LOST_SHARE) {
      return this.#agenda.at(this.nowMs + RESENT_AFTER_MS, () => this.#dispatch(event))
    }
    this.#dispatch(event)
    if (this.#inForce('doubled-messages')) this.#dispatch(event)
  }

  #execute(command: Command): void {
    switch (command.kind) {
      case 'fork':
        return this.#fork(command)
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
        return this.#agenda.at(this.nowMs + LAST_BREATH_MS, () => this.#exit(command.workerId, null, 'SIGKILL'))
      case 'diagnose':
        return this.#agenda.at(this.nowMs + DIAGNOSIS_MS, () => this.#dispatch({ kind: 'diagnosed', workerId: command.workerId, reportPath: null }))
      case 'probe':
        return this.#probe(command.workerId, command.timeoutMs)
      case 'exit':
        this.#ended = true
        return
      case 'lease':
        return this.#lease(command)
      case 'askBackends':
        return this.#agenda.at(this.nowMs + ANSWER_MS, () => this.#dispatch({ ...NO_BACKENDS, askedAtMs: this.nowMs }))
      case 'shed':
      case 'answer':
      case 'publish':
        return
    }
  }

  #probe(workerId: number, timeoutMs: number): void {
    this.#with(workerId, ({ hung }) => {
      const event = { kind: 'probed', workerId, healthy: !hung, detail: hung ? 'no answer' : '' } as const
      this.#agenda.at(this.nowMs + (hung ? timeoutMs : 1), () => this.#dispatch(event))
    })
  }

  #fork({ workerId, role, generation }: Extract<Command, { kind: 'fork' }>): void {
    const worker = this.#workplace.hire(workerId, { generation, accepting: role === 'worker', nowMs: this.nowMs })
    const bootMs = this.#scenario.worker.bootMs * (0.8 + 0.4 * this.#random.next()) * (this.#inForce('slow-boot') ? SLOW_BOOT_FACTOR : 1)
    const fails = this.#inForce('boot-crash') || (this.#inForce('bad-release') && generation > 1)
    this.#agenda.at(this.nowMs + FORK_MS, () => this.#dispatch({ kind: 'forked', workerId, pid: 1000 + workerId }))
    this.#agenda.at(this.nowMs + FORK_MS + bootMs, () => {
      if (worker.state !== 'booting' || worker.hung || !this.#workplace.workers.has(workerId)) return
      if (fails) return this.#exit(workerId, 1, null)
      worker.state = 'listening'
      this.#receive({ kind: 'readied', workerId })
    })
  }

  #inForce(kind: FaultKind): boolean {
    return this.#workplace.inForce(kind, this.nowMs) !== undefined
  }

  #inject(fault: Fault): void {
    if (fault.kind === 'paused-primary') return this.#pause(fault.forMs)
    const there = [...this.#workplace.workers.keys()]
    const workerId = fault.worker === 'any' ? there[this.#random.below(there.length)] : fault.worker
    const worker = this.#workplace.workers.get(workerId ?? -1)
    if (!worker) return
    if (fault.kind === 'crash') this.#exit(worker.workerId, 1, null)
    if (fault.kind === 'hang') worker.hung = true
    if (fault.kind === 'drop-reports') worker.reportsLostUntilMs = this.nowMs + fault.forMs
    if (fault.kind === 'late-reports') worker.reportsLateUntilMs = this.nowMs + fault.forMs
  }

  #pause(forMs: number): void {
    const untilMs = Math.max(this.#pausedUntilMs, this.nowMs + forMs)
    this.#stoodStillMs += untilMs - Math.max(this.nowMs, this.#pausedUntilMs)
    this.#pausedUntilMs = untilMs
  }

  /** Once only: a worker may crash while it is being killed. */
  #exit(workerId: number, code: number | null, signal: string | null): void {
    this.#with(workerId, (worker) => {
      this.#workplace.dismiss(worker)
      const lastStderrLines = code === 1 ? ['Error: a fault of the simulator'] : []
      this.#dispatch({ kind: 'exited', workerId, code, signal, cause: null, lastStderrLines })
    })
  }

  #slice(): void {
    this.#workplace.pass(this.nowMs, this.#sliceMs)
    for (const worker of this.#workplace.workers.values()) {
      if (worker.state === 'draining' && !worker.hung && worker.queue === 0) this.#leave(worker.workerId)
    }
  }

  #leave(workerId: number): void {
    this.#receive({ kind: 'drained', workerId, cutConnections: 0, cutRequests: 0 })
    this.#exit(workerId, 0, null)
  }

  /** While the primary stands still nobody looks; what workers said meanwhile is summed up in their next report. */
  #sample(): void {
    if (this.nowMs < this.#pausedUntilMs) return
    const wallMs = this.#startsAtMs + this.nowMs * (this.#inForce('clock-drift') ? DRIFT : 1)
    const advice = this.#helm.advise?.() ?? null
    const seen = this.#workplace.sample(this.nowMs, this.fleet.settings.tickMs)
    this.#dispatch({ kind: 'sampled', wallMs, ...seen, ...(advice ? { advice } : {}) })
    if (this.#helm.pilot && this.fleet.phase === 'running') this.#steer(this.#helm.pilot(this.fleet, this.nowMs))
  }

  /** The pilot speaks as an operator would, from the first tick on; the fleet carries it out as it always does. */
  #steer(workers: number): void {
    if (this.#requests === 0 || workers !== this.fleet.target)
      this.#dispatch({ kind: 'scaleRequested', requestId: PILOT_REQUESTS + ++this.#requests, workers })
  }

  /** Virtual workers query nothing: whatever they are told, they are within it at once. */
  #lease({ workerId, sequence, granted }: Extract<Command, { kind: 'lease' }>): void {
    const use = { kind: 'leaseUsed', workerId, sequence, holds: granted, inUse: 0, waiting: 0, external: 0 } as const
    this.#agenda.at(this.nowMs + LAST_BREATH_MS, () => this.#with(workerId, ({ hung }) => (hung ? undefined : this.#receive(use))))
  }

  #with(workerId: number, act: (worker: VirtualWorker) => void): void {
    const worker = this.#workplace.workers.get(workerId)
    if (worker) act(worker)
  }
}
