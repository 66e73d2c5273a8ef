import type { Fleet, FleetSettings } from '../fleet/fleet.ts'
import { type Limits, limitsAt } from '../policy/schedule.ts'
import { type Arrivals, createArrivals, easyLoad, takenFrom } from './arrivals.ts'
import type { ClusterSeen } from './cluster-checkers.ts'
import { Backends } from './database.ts'
import type { Helm } from './helm.ts'
import { Incidents } from './incidents.ts'
import { sumOf } from './ledger.ts'
import { type Random, createRandom } from './random.ts'
import { type Fault, FAULTS_OF_ONE, FAULTS_OF_THE_DOCUMENT, type ReplicaModel, type Scenario } from './scenario.ts'
import { SharedBudget } from './shared-budget.ts'
import type { Turn } from './turn.ts'
import type { Ledger } from './workplace.ts'
import { World } from './world.ts'

/** Where no document is kept, what one replica says the others hear so much later. */
const REDIS_MS = 5
/** Load is dealt so often; where replicas keep a document more often, since what one has seen of it another may have changed. */
const SLICE_MS = 500
const SHARED_SLICE_MS = 100
const MOST_IDS = 1e6

interface Replica {
  readonly id: string
  readonly world: World
  /** Requests that the balancer has sent and that have not got there yet. */
  readonly inbox: { requests: number }
  ledger: Ledger
  isLeaving: boolean
}

export interface ServiceParts {
  readonly settings: FleetSettings
  readonly scenario: Scenario
  readonly replicas: ReplicaModel
  readonly startsAtMs: number
  readonly helm: Helm
  see(id: string, turn: Turn): void
  /** Once a tick, when all replicas have come to it. */
  tick?(fleets: readonly Fleet[], ledger: Ledger, atMs: number): void
  /** Ten times a second, where replicas keep a document in Redis. */
  look?(seen: ClusterSeen): void
}

/** Several replicas, each with a core, a host and workers of its own, behind a balancer that deals by chance; and a platform that starts and stops them. */
export class Service {
  readonly #parts: ServiceParts
  readonly #incidents: Incidents
  readonly #arrivals: Arrivals
  readonly #random: Random
  readonly #replicas: Replica[] = []
  /** Null where each has a part of its own, or nobody limits the connections, and nothing befalls Redis but that it is away. */
  readonly #shared: SharedBudget | null
  /** When replicas that the platform starts will be there. */
  #comingAtMs: number[] = []
  #started = 0
  /** What the platform keeps, and the minute of the wall clock at which it was read off its schedule. */
  #limits: Limits & { readonly minute: number } = { min: 0, max: 0, minute: Number.NaN }
  #waiting = 0
  #isClosing = false
  nowMs = 0
  #past: Omit<Ledger, 'waiting'> = { arrived: 0, answered: 0, cut: 0 }

  constructor(parts: ServiceParts) {
    this.#parts = parts
    this.#incidents = new Incidents(parts.scenario)
    this.#arrivals = createArrivals(parts.scenario.load, createRandom(parts.scenario.seed + 1))
    this.#random = createRandom(parts.scenario.seed + 3)
    const { settings, helm } = parts
    const { scenario } = this.#incidents
    const sharing = { faults: scenario.faults, random: createRandom(scenario.seed + 4), beat: helm.beat }
    const keepsDocument = settings.database?.isShared || scenario.faults.some(({ kind }) => FAULTS_OF_THE_DOCUMENT.has(kind))
    this.#shared = keepsDocument ? new SharedBudget(sharing) : null
    for (let count = this.#limitsAt(0).min; count > 0; count--) this.#start(0)
  }

  get replicas(): readonly { readonly id: string; readonly fleet: Fleet; readonly ended: boolean }[] {
    return this.#replicas.map(({ id, world: { fleet, ended } }) => ({ id, fleet, ended }))
  }

  /** So many the platform keeps at this hour. */
  get least(): number {
    return this.#limits.min
  }

  /** Replicas that need not be there at this hour, against those who would keep the schedule's highest floor around the clock. */
  get spared(): number {
    const { min, max, schedule = [] } = this.#parts.replicas
    const highest = Math.min(max, Math.max(min, ...schedule.map((entry) => entry.min ?? 0)))
    return this.#limits.min < highest ? Math.max(0, highest - this.#replicas.length) : 0
  }

  /** All are asked to stop, and nobody starts any more. */
  stop(): void {
    this.#isClosing = true
    this.#comingAtMs = []
    for (const { world } of this.#replicas) world.tell((nowMs) => ({ kind: 'stopRequested', reason: 'the run ends', nowMs }), 0)
  }

  /** When all primaries that stand still will have gone on. */
  get goesOnAtMs(): number {
    return Math.max(0, ...this.#replicas.map(({ world }) => world.clock.goesOnAtMs))
  }

  /** From now on nothing goes wrong any more, and the load is steady. */
  settle(): void {
    this.#incidents.end()
    this.#arrivals.settle(this.nowMs, easyLoad(this.#incidents.scenario))
    for (const { world } of this.#replicas) world.settle()
  }

  /** Requests that nobody has answered yet, those that no replica has accepted included. */
  get waiting(): number {
    return this.#replicas.reduce((sum, { inbox, ledger }) => sum + inbox.requests + ledger.waiting, this.#waiting)
  }

  /** Goes on until `untilMs`. */
  run(untilMs: number): void {
    const { tickMs } = this.#parts.settings
    const slices = Math.max(1, Math.ceil(tickMs / (this.#shared ? SHARED_SLICE_MS : SLICE_MS)))
    const faults = this.#incidents.scenario.faults.filter(({ kind }) => FAULTS_OF_ONE.has(kind))
    for (let tick = Math.floor(this.nowMs / tickMs) + 1; tick * tickMs <= untilMs; tick++) {
      for (let slice = 1; slice <= slices; slice++) this.#pass((tick - 1) * tickMs + (slice * tickMs) / slices, tickMs / slices)
      const nowMs = tick * tickMs
      this.nowMs = nowMs
      for (const fault of faults) if (fault.atMs > nowMs - tickMs && fault.atMs <= nowMs) this.#strike(fault, nowMs)
      if (!this.#shared) this.#meet(nowMs)
      this.#follow(nowMs)
      this.#parts.tick?.(
        this.#replicas.map(({ world }) => world.fleet),
        this.#ledger(),
        nowMs,
      )
    }
  }

  #pass(nowMs: number, sliceMs: number): void {
    for (const atMs of this.#comingAtMs.filter((each) => each <= nowMs)) this.#start(atMs)
    this.#comingAtMs = this.#comingAtMs.filter((each) => each > nowMs)
    this.#deal(this.#arrivals.next(nowMs, sliceMs) + this.#waiting)
    for (const { world } of this.#replicas) world.run(nowMs)
    for (const replica of this.#replicas.filter(({ world }) => world.ended)) {
      this.#forget(replica)
      this.#shared?.leave(replica.id, true, nowMs)
    }
    if (!this.#shared) return
    this.#shared.pass(nowMs)
    this.#parts.look?.(this.#shared.seen())
  }

  #strike(fault: Fault, nowMs: number): void {
    const replica = this.#replicas[this.#random.below(this.#replicas.length)]
    if (!replica) return
    if (fault.kind !== 'replica-crash') return replica.world.strike(fault)
    replica.world.die(nowMs)
    this.#forget(replica)
    this.#shared?.leave(replica.id, false, nowMs)
  }

  /** To each that serves by chance; with none of them requests wait. */
  #deal(requests: number): void {
    const open = this.#replicas.filter(({ isLeaving, world }) => !isLeaving && world.fleet.workers.some(({ life }) => life.kind === 'ready'))
    this.#waiting = open.length === 0 ? requests : 0
    let left = open.length === 0 ? 0 : requests
    for (const [index, { inbox }] of open.entries()) {
      const among = open.length - index
      const mean = left / among
      const spread = Math.sqrt(mean * (1 - 1 / among)) * (this.#random.next() + this.#random.next() - 1) * 2
      const some = among === 1 ? left : Math.max(0, Math.min(left, Math.round(mean + spread)))
      inbox.requests += some
      left -= some
    }
  }

  #start(atMs: number): void {
    const { settings, startsAtMs, helm, see } = this.#parts
    const { scenario } = this.#incidents
    const number = ++this.#started
    const id = `replica ${String(number).padStart(String(MOST_IDS).length, '0')}`
    const inbox = { requests: 0 }
    const own = { ...scenario, seed: scenario.seed + 1000 * number, faults: scenario.faults.filter(({ kind }) => !FAULTS_OF_ONE.has(kind)) }
    const backends = settings.database ? new Backends(createRandom(own.seed + 2)) : null
    const replica: Replica = {
      id,
      inbox,
      isLeaving: false,
      ledger: { arrived: 0, answered: 0, cut: 0, waiting: 0 },
      world: new World(
        settings,
        own,
        startsAtMs,
        (turn) => {
          replica.ledger = turn.ledger
          see(id, turn)
        },
        helm,
        { atMs, arrivals: takenFrom(inbox), backends },
      ),
    }
    this.#replicas.push(replica)
    this.#shared?.join(id, replica.world, backends, atMs)
  }

  #forget(replica: Replica): void {
    this.#replicas.splice(this.#replicas.indexOf(replica), 1)
    this.#waiting += replica.inbox.requests
    const { arrived, answered, cut, waiting } = replica.ledger
    this.#past = { arrived: this.#past.arrived + arrived, answered: this.#past.answered + answered, cut: this.#past.cut + cut + waiting }
  }

  /** Each tells its totals through Redis and hears the others. */
  #meet(nowMs: number): void {
    const isAway = this.#incidents.scenario.faults.some(({ kind, atMs, forMs }) => kind === 'redis-away' && atMs <= nowMs && nowMs < atMs + forMs)
    for (const { id: ownId, world } of this.#replicas) {
      const others = this.#replicas.flatMap(({ id, world: { fleet } }) =>
        id === ownId || !fleet.totals ? [] : [{ id, name: id, address: null, totals: fleet.totals }],
      )
      world.tell((atMs) => ({ kind: 'peersHeard', ownId, others: isAway ? null : others, nowMs: atMs }), REDIS_MS)
    }
  }

  /** The platform, or who sits before it: as many as the elected one says are needed, where it is asked to; and never fewer than the least. */
  #follow(nowMs: number): void {
    if (this.#isClosing) return
    const { bootMs, follow } = this.#parts.replicas
    const { min, max } = this.#limitsAt(nowMs)
    const staying = this.#replicas.filter(({ isLeaving }) => !isLeaving)
    const said = follow ? (staying[0]?.world.fleet.replicas.needs ?? min) : min
    const wanted = Math.min(max, Math.max(min, said))
    const there = staying.length + this.#comingAtMs.length
    for (let count = there; count < wanted; count++) this.#comingAtMs.push(nowMs + bootMs)
    if (this.#comingAtMs.length > 0 || there <= wanted) return
    for (const replica of staying.slice(wanted)) {
      replica.isLeaving = true
      replica.world.tell((atMs) => ({ kind: 'stopRequested', reason: 'fewer replicas would do', nowMs: atMs }), 0)
    }
  }

  #limitsAt(nowMs: number): Limits {
    const { replicas, startsAtMs } = this.#parts
    const minute = Math.floor((startsAtMs + nowMs) / 60_000)
    if (minute !== this.#limits.minute) this.#limits = { ...limitsAt(replicas.schedule ?? [], startsAtMs + nowMs, replicas), minute }
    return this.#limits
  }

  #ledger(): Ledger {
    return sumOf([{ ...this.#past, waiting: 0 }, ...this.#replicas.map(({ ledger }) => ledger)])
  }
}
