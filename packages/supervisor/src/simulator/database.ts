import type { Command } from '../fleet/command.ts'
import type { BackendsSeen } from '../fleet/event.ts'
import type { Random } from './random.ts'

/** A connection is not to be seen before it has signed on. */
const INVISIBLE_MS = 300
/** So long runs a query of a process that is gone, at most; and so long takes an orderly end. */
const LONGEST_QUERY_MS = 6000
const GOODBYE_MS = 200

/** Connections of a worker that is gone, as the server still has them. */
interface Orphans {
  readonly workerId: number
  readonly connections: number
  readonly untilMs: number
  readonly visibleFromMs: number
}

/** What a worker says of its connections. */
interface Use {
  readonly sequence: number
  readonly holds: number
  readonly inUse: number
  readonly waiting: number
  readonly external: number
}

/** The connections of one replica as the server counts them: from the attempt to connect until the server itself has closed them. */
export class Backends {
  readonly #random: Random
  #ofLiving = 0
  #orphans: Orphans[] = []

  constructor(random: Random) {
    this.#random = random
  }

  countAt(nowMs: number): number {
    let sum = this.#ofLiving
    for (const { untilMs, connections } of this.#orphans) if (untilMs > nowMs) sum += connections
    return sum
  }

  opened(connections: number): void {
    this.#ofLiving += connections
  }

  closed(connections: number): void {
    this.#ofLiving -= connections
  }

  /** A process is gone; the server notices when it has ended what it works on. */
  orphan(pool: VirtualPool, nowMs: number, isOrderly: boolean): void {
    const longestMs = isOrderly ? GOODBYE_MS : LONGEST_QUERY_MS
    this.#ofLiving -= pool.open
    this.#orphans = this.#orphans.filter(({ untilMs }) => untilMs > nowMs)
    for (const { connections, openedAtMs } of pool.byAge()) {
      const untilMs = nowMs + longestMs * this.#random.next()
      if (connections > 0) this.#orphans.push({ workerId: pool.workerId, connections, untilMs, visibleFromMs: openedAtMs + INVISIBLE_MS })
    }
  }

  /** What a question at that time finds of workers that are gone. */
  seenAt(nowMs: number): BackendsSeen['backends'] {
    const there = this.#orphans.filter(({ untilMs, visibleFromMs }) => untilMs > nowMs && visibleFromMs <= nowMs)
    const ids = new Set(there.map(({ workerId }) => workerId))
    return [...ids].map((workerId) => ({
      workerId,
      connections: there.reduce((sum, each) => (each.workerId === workerId ? sum + each.connections : sum), 0),
    }))
  }
}

/** What a worker is told. */
type Word = Pick<Extract<Command, { kind: 'lease' }>, 'sequence' | 'granted' | 'untilMs'>

/** The pool of one worker: opens connections as requests need them, up to what it was told, and keeps them. */
export class VirtualPool {
  readonly workerId: number
  readonly #backends: Backends
  #sequence = 0
  #granted = 0
  /** Null: until it hears something newer. */
  #untilMs: number | null = null
  #open = 0
  #wanted = 0
  #youngest = { connections: 0, openedAtMs: 0 }
  #told: Use | null = null

  constructor(workerId: number, backends: Backends) {
    this.workerId = workerId
    this.#backends = backends
  }

  get open(): number {
    return this.#open
  }

  /** Requests for each connection; those that have none wait for one. */
  get crowd(): number {
    return Math.max(1, this.#wanted / Math.max(1, this.#open))
  }

  byAge(): { readonly connections: number; readonly openedAtMs: number }[] {
    return [{ connections: this.#open - this.#youngest.connections, openedAtMs: Number.NEGATIVE_INFINITY }, this.#youngest]
  }

  hear({ sequence, granted, untilMs }: Word, nowMs: number): void {
    if (sequence < this.#sequence) return
    this.#sequence = sequence
    this.#granted = granted
    this.#untilMs = untilMs
    this.#adjust(nowMs, this.#open - Math.min(this.#wanted, this.#open))
  }

  /** Some time has passed: requests that need a connection now. Of those under way half were done meanwhile. */
  turn(wanted: number, nowMs: number): void {
    this.#wanted = wanted
    const idle = this.#open - Math.min(wanted, this.#open)
    this.#adjust(nowMs, idle + Math.ceil((this.#open - idle) / 2))
  }

  /** Only a connection that is free, or becomes so, can be closed. */
  #adjust(nowMs: number, free: number): void {
    const granted = this.#untilMs !== null && nowMs >= this.#untilMs ? 0 : this.#granted
    const spare = Math.min(this.#open - granted, free)
    if (spare > 0) {
      this.#open -= spare
      this.#youngest = { ...this.#youngest, connections: Math.min(this.#youngest.connections, this.#open) }
      this.#backends.closed(spare)
    }
    const missing = Math.min(this.#wanted, granted) - this.#open
    if (missing <= 0) return
    this.#open += missing
    this.#youngest = { connections: missing, openedAtMs: nowMs }
    this.#backends.opened(missing)
  }

  /** What it has to tell: its promise and its need; null where that is not news. */
  news(isAsked: boolean): Use | null {
    if (this.#sequence === 0) return null
    const inUse = Math.min(this.#wanted, this.#open)
    const holds = Math.max(this.#granted, this.#open)
    const waiting = this.#wanted - inUse
    const told = this.#told
    const isKnown = told?.sequence === this.#sequence && told.holds === holds && told.inUse === inUse && told.waiting === waiting
    if (isKnown && !isAsked) return null
    this.#told = { sequence: this.#sequence, holds, inUse, waiting, external: 0 }
    return this.#told
  }
}
