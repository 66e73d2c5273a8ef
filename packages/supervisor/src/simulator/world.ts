import type { Command } from '../fleet/command.ts'
import { type Fleet, type FleetSettings, initialFleet } from '../fleet/fleet.ts'
import { step as productionStep, wakeAtMs } from '../fleet/step.ts'
import { Agenda } from './agenda.ts'
import { whenBooted } from './boot-time.ts'
import { type Arrivals, easyLoad } from './arrivals.ts'
import { type Birth, aloneFromTheStart } from './birth.ts'
import type { Backends } from './database.ts'
import { DatabaseEdge, type DatabaseWorld } from './database-edge.ts'
import { DIAGNOSIS_MS, DRIFT, FORK_MS, LAST_BREATH_MS, LOST_SHARE, RESENT_AFTER_MS, SLOW_BOOT_FACTOR, sliceMsOf } from './delays.ts'
import { type Helm, createOrders } from './helm.ts'
import { Incidents } from './incidents.ts'
import { PrimaryClock } from './primary-clock.ts'
import { type Random, createRandom } from './random.ts'
import type { Fault, FaultKind, Scenario } from './scenario.ts'
import type { VirtualWorker } from './virtual-worker.ts'
import type { NewEvent, Turn } from './turn.ts'
import { Workplace } from './workplace.ts'

/**
 * The virtual edge: carries out commands in virtual time, and drives `step` as the real one does, `wakeAtMs` included. Two worlds
 * with the same scenario and settings live the same life.
 */
export class World {
  fleet: Fleet
  nowMs = 0
  /** The fleet has ended, or all of it is gone. */
  ended = false
  readonly #incidents: Incidents
  readonly #scenario: Scenario
  readonly #arrivals: Arrivals
  readonly #random: Random
  readonly #workplace: Workplace
  readonly #see: (turn: Turn) => void
  /** What the clock on the wall showed at the start. */
  readonly #startsAtMs: number
  readonly #helm: Helm
  readonly #orders: ReturnType<typeof createOrders> | null
  readonly #agenda = new Agenda()
  readonly #sliceMs: number
  /** Of the primary, which may stand still while workers go on. */
  readonly clock: PrimaryClock = new PrimaryClock()
  readonly #backends: Backends | null
  readonly #database: DatabaseEdge | null
  readonly #step: typeof productionStep

  constructor(
    settings: FleetSettings,
    scenario: Scenario,
    startsAtMs: number,
    see: (turn: Turn) => void,
    helm: Helm = {},
    birth: Birth = aloneFromTheStart(settings, scenario),
  ) {
    this.nowMs = birth.atMs
    this.fleet = initialFleet(settings)
    this.#incidents = new Incidents(scenario)
    this.#scenario = this.#incidents.scenario
    this.#arrivals = birth.arrivals
    this.#random = createRandom(scenario.seed)
    this.#backends = birth.backends
    this.#workplace = new Workplace(this.#scenario, birth.arrivals, this.#backends)
    this.#database = this.#backends && new DatabaseEdge(this.#backends, this.#workplace.workers, this.#databaseWorld())
    this.#step = helm.step ?? productionStep
    this.#see = see
    this.#startsAtMs = startsAtMs
    this.#helm = helm
    this.#orders = helm.pilot ? createOrders(helm.pilot) : null
    this.#sliceMs = sliceMsOf(settings.tickMs)
    this.#incidents.plan(this.#agenda, birth.atMs, {
      ask: ({ event }) => this.#dispatch((nowMs) => ({ ...event, nowMs })),
      strike: (fault) => this.strike(fault),
    })
    this.#agenda.every(this.#sliceMs, birth.atMs, () => this.#slice())
    this.#agenda.every(settings.tickMs, birth.atMs, () => this.#sample())
    this.#agenda.at(birth.atMs, () => this.#dispatch((nowMs) => ({ kind: 'started', nowMs })))
  }

  /** When the primary goes on, if it stands still. */
  get goesOnAtMs(): number {
    return this.clock.goesOnAtMs
  }

  /** Requests that nobody has answered yet. */
  get waiting(): number {
    return this.#workplace.ledger().waiting
  }

  /** All of it is gone at once; what it had open the database still counts. */
  die(nowMs: number): void {
    this.ended = true
    for (const worker of this.#workplace.workers.values()) this.#workplace.dismiss(worker, nowMs, false)
  }

  /** Lives on until `untilMs`, or until the fleet has ended. */
  run(untilMs: number): void {
    while (!this.ended) {
      const wakeMs = this.clock.whenItShows(wakeAtMs(this.fleet) ?? Number.POSITIVE_INFINITY)
      const nextMs = this.#agenda.nextAtMs
      const atMs = Math.min(nextMs, wakeMs)
      if (atMs > untilMs) break
      this.nowMs = Math.max(this.nowMs, atMs)
      if (wakeMs < nextMs) this.#dispatch((nowMs) => ({ kind: 'woken', nowMs }))
      else this.#agenda.actOnNext()
    }
  }

  /** From now on nothing goes wrong, nobody asks for anything and the load is steady; what hangs goes on hanging. */
  settle(): void {
    this.#incidents.end()
    this.#arrivals.settle(this.nowMs, easyLoad(this.#scenario))
    for (const worker of this.#workplace.workers.values()) worker.reportsLostUntilMs = worker.reportsLateUntilMs = this.nowMs
  }

  /** What reaches a primary that stands still is taken when it goes on. */
  #dispatch(happens: NewEvent): void {
    if (this.ended) return
    if (this.clock.standsStill(this.nowMs)) return this.#agenda.at(this.clock.goesOnAtMs, () => this.#dispatch(happens))
    const event = happens(this.clock.at(this.nowMs))
    const turn = this.#step(this.fleet, event)
    this.fleet = turn.fleet
    for (const command of turn.commands) this.#execute(command)
    const { fleet, commands, notes } = turn
    const connections = this.#backends?.countAt(this.nowMs) ?? 0
    this.#see({ fleet, commands, notes, event, ledger: this.#workplace.ledger(), atMs: this.nowMs, connections })
  }

  /** A message of a worker: the channel may lose it once, or bring it twice. */
  #receive(happens: NewEvent): void {
    if (this.#inForce('lost-messages') && this.#random.next() < LOST_SHARE) return this.tell(happens, RESENT_AFTER_MS)
    this.#dispatch(happens)
    if (this.#inForce('doubled-messages')) this.#dispatch(happens)
  }

  /** Nobody here waits for answers, routes or a word to shed clients. */
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
        return this.tell((nowMs) => ({ kind: 'diagnosed', workerId: command.workerId, reportPath: null, nowMs }), DIAGNOSIS_MS)
      case 'probe':
        return this.#probe(command.workerId, command.timeoutMs)
      case 'exit':
        this.ended = true
        return
      case 'lease':
        return this.#database?.lease(command)
      case 'askBackends':
        return this.#database?.ask()
    }
  }

  #probe(workerId: number, timeoutMs: number): void {
    this.#with(workerId, ({ hung }) => {
      const event = { kind: 'probed', workerId, healthy: !hung, detail: hung ? 'no answer' : '' } as const
      this.tell((nowMs) => ({ ...event, nowMs }), hung ? timeoutMs : 1)
    })
  }

  #fork({ workerId, role, generation }: Extract<Command, { kind: 'fork' }>): void {
    const worker = this.#workplace.hire(workerId, { generation, accepting: role === 'worker', nowMs: this.nowMs })
    const bootMs = this.#scenario.worker.bootMs * (0.8 + 0.4 * this.#random.next()) * (this.#inForce('slow-boot') ? SLOW_BOOT_FACTOR : 1)
    const fails = this.#inForce('boot-crash') || (this.#inForce('bad-release') && generation > 1)
    this.tell((nowMs) => ({ kind: 'forked', workerId, pid: 1000 + workerId, nowMs }), FORK_MS)
    whenBooted(this.#agenda, worker, this.nowMs + FORK_MS + bootMs, () => {
      if (worker.state !== 'booting' || worker.hung || !this.#workplace.workers.has(workerId)) return
      if (fails && !this.#incidents.areOver) return this.#exit(workerId, 1, null)
      worker.state = 'listening'
      this.#receive((nowMs) => ({ kind: 'readied', workerId, nowMs }))
    })
  }

  #inForce(kind: FaultKind): boolean {
    return this.#workplace.inForce(kind, this.nowMs) !== undefined
  }

  /** Lets a fault happen that is over at once; those that last are in force by the time. */
  strike(fault: Fault): void {
    if (fault.kind === 'paused-primary') return this.clock.pause(this.nowMs, fault.forMs)
    const struck = this.#workplace.strike(fault, this.#random, this.nowMs)
    if (struck && fault.kind === 'crash') this.#exit(struck.workerId, 1, null)
  }

  /** Once only: a worker may crash while it is being killed. */
  #exit(workerId: number, code: number | null, signal: string | null): void {
    this.#with(workerId, (worker) => {
      this.#workplace.dismiss(worker, this.nowMs, code === 0)
      const lastStderrLines = code === 1 ? ['Error: a fault of the simulator'] : []
      this.#dispatch((nowMs) => ({ kind: 'exited', workerId, code, signal, cause: null, lastStderrLines, nowMs }))
    })
  }

  #slice(): void {
    this.#workplace.pass(this.nowMs, this.#sliceMs)
    for (const worker of this.#workplace.workers.values()) {
      if (worker.state === 'draining' && !worker.hung && worker.connections === 0) this.#leave(worker.workerId)
      else this.#database?.tellUse(worker)
    }
  }

  #leave(workerId: number): void {
    this.#receive((nowMs) => ({ kind: 'drained', workerId, cutConnections: 0, cutRequests: 0, nowMs }))
    this.#exit(workerId, 0, null)
  }

  /** While the primary stands still nobody looks; what workers said meanwhile is summed up in their next report. */
  #sample(): void {
    if (this.clock.standsStill(this.nowMs)) return
    const drift = this.#workplace.inForce('clock-drift', this.nowMs)
    const wallMs = this.#startsAtMs + this.nowMs + (drift ? DRIFT * (this.nowMs - drift.atMs) : 0)
    const advice = this.#helm.advise?.() ?? null
    const { samples, usage } = this.#workplace.sample(this.nowMs, this.fleet.settings.tickMs)
    this.#dispatch((nowMs) => ({ kind: 'sampled', wallMs, samples, usage, ...(advice ? { advice } : {}), nowMs }))
    const order = this.#orders?.(this.fleet, this.nowMs)
    if (order) this.#dispatch(order)
  }

  #databaseWorld(): DatabaseWorld {
    return {
      later: (afterMs, act) => this.#agenda.at(this.nowMs + afterMs, act),
      loses: () => this.#inForce('lost-messages') && this.#random.next() < LOST_SHARE,
      receive: (happens) => this.#receive(happens),
      dispatch: (happens) => this.#dispatch(happens),
      primaryMs: () => this.clock.at(this.nowMs),
      nowMs: () => this.nowMs,
    }
  }

  /** An event from outside the replica, such as what its peers say. */
  tell(happens: NewEvent, afterMs: number): void {
    this.#agenda.at(this.nowMs + afterMs, () => this.#dispatch(happens))
  }

  #with(workerId: number, act: (worker: VirtualWorker) => void): void {
    const worker = this.#workplace.workers.get(workerId)
    if (worker) act(worker)
  }
}
