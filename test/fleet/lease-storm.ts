import type { Command } from '../../packages/supervisor/src/fleet/command.ts'
import type { FleetEvent } from '../../packages/supervisor/src/fleet/event.ts'
import { type Fleet, initialFleet } from '../../packages/supervisor/src/fleet/fleet.ts'
import { step } from '../../packages/supervisor/src/fleet/step.ts'
import { planBudget } from '../../packages/supervisor/src/policy/budget-plan.ts'
import { type Random, createRandom } from '../../packages/supervisor/src/simulator/random.ts'
import { fleetSettings, reportOf } from './driver.ts'

type Unstamped<Event> = Event extends unknown ? Omit<Event, 'nowMs'> : never

export const AVAILABLE = 12
/** A backend is not to be seen in `pg_stat_activity` before it has signed on. */
const INVISIBLE_MS = 300
const TURN_MS = 50

/** A process that keeps to what the ledger of a worker keeps to. */
interface Opener {
  sequence: number
  granted: number
  readonly open: Backend[]
}

/** A connection as the server counts it; it may outlive its process. */
interface Backend {
  readonly workerId: number
  readonly openedAtMs: number
}

/**
 * The real `step`, workers that open as much as they may, and a server that counts; between them a channel that loses, doubles and
 * reorders, and processes that die while their queries run on.
 */
export class LeaseStorm {
  fleet: Fleet = initialFleet(
    fleetSettings({
      workers: { min: 2, max: 4 },
      restart: { intensity: 1e6, backoffMs: 10, backoffMaxMs: 10 },
      database: planBudget({ budget: 15, reserve: 3, minPerWorker: 2, replicas: 1, minWorkers: 2 }),
    }),
  )
  nowMs = 1_000_000
  most = 0
  calm = false
  readonly #random: Random
  readonly #workers = new Map<number, Opener>()
  #orphans: Backend[] = []
  #words: Extract<Command, { kind: 'lease' }>[] = []
  #events: Unstamped<FleetEvent>[] = []
  #asked: readonly number[] | null = null
  #answer: Unstamped<FleetEvent> | null = null
  #requestId = 0

  constructor(seed: number) {
    this.#random = createRandom(seed)
    this.#send({ kind: 'started' })
  }

  get connections(): number {
    return this.#orphans.length + [...this.#workers.values()].reduce((sum, { open }) => sum + open.length, 0)
  }

  /** Everything that may be, as the fleet has it. */
  get booked(): number {
    return [...this.fleet.workers.map(({ lease }) => lease.held), ...this.fleet.quarantine.map((each) => each.connections)].reduce((a, b) => a + b, 0)
  }

  turn(): void {
    this.nowMs += TURN_MS
    for (let deed = 0; deed < 4; deed++) this.#act()
    this.#send({ kind: 'woken' })
    this.most = Math.max(this.most, this.connections, this.booked)
  }

  #act(): void {
    const [id, opener] = this.#any([...this.#workers]) ?? [0, null]
    switch (this.#random.below(this.calm ? 8 : 11)) {
      case 0:
      case 1:
        if (opener && opener.open.length < opener.granted) opener.open.push({ workerId: id, openedAtMs: this.nowMs })
        return
      case 2:
        if (opener && (!this.calm || opener.open.length > opener.granted)) opener.open.shift()
        return this.#promise(id, this.#random.below(30))
      case 3:
      case 4:
        return this.#hearWord()
      case 5:
      case 6:
        return this.#deliver()
      case 7:
        return this.#askServer()
      case 8:
        return this.#kill(id)
      case 9:
        this.#orphans = this.#orphans.filter(() => this.#random.below(3) > 0)
        return
      default:
        return this.#operate()
    }
  }

  #any<Value>(values: readonly Value[]): Value | undefined {
    return values[this.#random.below(Math.max(1, values.length))]
  }

  /** Takes something out of a channel: any of it, and in a storm sometimes not at all, or not for the last time. */
  #from<Value>(channel: Value[]): Value | undefined {
    const index = this.#random.below(Math.max(1, channel.length))
    const value = channel[index]
    const chance = this.calm ? 9 : this.#random.below(10)
    if (chance !== 0) channel.splice(index, 1)
    return chance === 1 ? undefined : value
  }

  #hearWord(): void {
    const word = this.#from(this.#words)
    const opener = word && this.#workers.get(word.workerId)
    if (!word || !opener || word.sequence < opener.sequence) return
    Object.assign(opener, { sequence: word.sequence, granted: word.granted })
    this.#promise(word.workerId, 0)
  }

  #promise(workerId: number, waiting: number): void {
    const opener = this.#workers.get(workerId)
    if (!opener || opener.sequence === 0) return
    const { sequence, granted, open } = opener
    this.#events.push({ kind: 'leaseUsed', workerId, sequence, holds: Math.max(granted, open.length), inUse: open.length, waiting, external: 0 })
  }

  #deliver(): void {
    const event = this.#from(this.#events)
    if (event) this.#send(event)
    if (this.#random.below(3) === 0) this.#sample()
  }

  #sample(): void {
    const samples = this.fleet.workers.map(({ id }) => ({ workerId: id, cpu: 0.1, memoryBytes: 1e8, report: reportOf() }))
    this.#send({ kind: 'sampled', wallMs: this.nowMs, samples, usage: { cpus: 1, memoryBytes: 1e9 } })
  }

  /** Asked now, answered later. */
  #askServer(): void {
    if (this.#answer) {
      const answer = this.#answer
      this.#answer = null
      return this.#send(answer)
    }
    if (!this.#asked) return
    this.#asked = null
    if (this.calm) this.#orphans = []
    const seen = this.#orphans.filter(({ openedAtMs }) => this.nowMs - openedAtMs >= INVISIBLE_MS)
    const backends = [...new Set(seen.map(({ workerId }) => workerId))].map((workerId) => ({
      workerId,
      connections: seen.filter((each) => each.workerId === workerId).length,
    }))
    this.#answer = { kind: 'backendsSeen', askedAtMs: this.nowMs, backends, starting: 0, foreign: 0, goneWithinMs: null }
  }

  #kill(workerId: number): void {
    const opener = this.#workers.get(workerId)
    if (!opener) return
    this.#workers.delete(workerId)
    this.#orphans.push(...opener.open)
    this.#send({ kind: 'exited', workerId, code: null, signal: 'SIGKILL', cause: null, lastStderrLines: [] })
  }

  #operate(): void {
    const requestId = ++this.#requestId
    if (this.#random.below(3) === 0) this.#send({ kind: 'reloadRequested', requestId })
    else this.#send({ kind: 'scaleRequested', requestId, workers: 1 + this.#random.below(4) })
  }

  #send(event: Unstamped<FleetEvent>): void {
    const next = step(this.fleet, { ...event, nowMs: this.nowMs } as FleetEvent)
    this.fleet = next.fleet
    for (const command of next.commands) this.#execute(command)
  }

  #execute(command: Command): void {
    if (command.kind === 'fork') {
      this.#workers.set(command.workerId, { sequence: 0, granted: 0, open: [] })
      this.#events.push({ kind: 'readied', workerId: command.workerId })
    }
    if (command.kind === 'lease') this.#words.push(command)
    if (command.kind === 'askBackends') this.#asked = command.workerIds
    // A worker that drains, or is killed, is gone at once, and what it runs is not.
    if (command.kind === 'drain' || command.kind === 'kill') this.#kill(command.workerId)
  }

  /** No more faults: what is sent arrives, once and in some order, and the dead let go. */
  heal(): void {
    this.calm = true
    for (let turn = 0; turn < 3000 && !this.#isSettled(); turn++) this.turn()
  }

  #isSettled(): boolean {
    const { workers, quarantine, target, reload, settings } = this.fleet
    const isFed = workers.every(({ life, lease }) => life.kind === 'ready' && lease.granted >= (settings.database?.floor ?? 0))
    return isFed && workers.length === target && quarantine.length === 0 && reload === null && this.booked >= AVAILABLE - 2
  }
}
