import type { Command } from '../fleet/command.ts'
import type { FleetEvent } from '../fleet/event.ts'
import { LeaseBooks } from './lease-books.ts'

/**
 * Judges how a fleet shares out database connections, after every step and without the code that does it: by what the server counts, by
 * what workers were told and have promised, and by what the fleet believes.
 */

/** What there is to share out, and what the fleet believes of it. */
export interface LeaseSeen {
  readonly event: FleetEvent
  readonly commands: readonly Command[]
  /** As the server counts them, those of dead workers included. */
  readonly connections: number
  readonly fleet: {
    readonly phase: string
    readonly settings: { readonly database: { readonly available: number; readonly floor: number; readonly isShared: boolean } | null }
    readonly workers: readonly SeenWorker[]
    readonly quarantine: readonly { readonly workerId: number; readonly connections: number }[]
  }
}

interface SeenWorker {
  readonly id: number
  readonly life: { readonly kind: string }
  readonly stuckAtMs: number | null
  readonly replaces: number | null
  readonly lease: { readonly granted: number; readonly held: number; readonly acknowledged: number; readonly inUse: number; readonly waiting: number }
}

/** A connection that a dying process has begun may need this long until the server shows it. */
const UNSEEN_MS = 300
/** A lease that is on its way, or waits for another to shrink, is no starvation; the longest query is what it may wait for. */
const STARVED_MS = 12_000
/** What others were lent may come back: so long it is waited for before workers leave for the lack of it, and then they drain. */
const SHORT_MS = 45_000
/** The same goes for words, promises and quarantines that do not end. */
const REST_WITHIN_MS = 60_000

const GROWTH: ReadonlySet<FleetEvent['kind']> = new Set(['budgetRequested', 'loanHeard', 'loanEnded'])

export class LeaseCheckers {
  readonly #books = new LeaseBooks()
  /** By worker: when it died, and what it may have left open. */
  readonly #dead = new Map<number, { diedAtMs: number; connections: number }>()
  /** What the fleet believed after the last step. */
  #believed: readonly SeenWorker[] = []
  readonly #starvedSinceMs = new Map<number, number>()
  /** After a cut there may be more than there should be, but never more than there was. */
  #limit = 0
  /** The same of what the fleet believes, which may be more than what is: it counts a promise for its newest word only. */
  #believedLimit = 0
  #believedSum = 0
  #available = 0
  /** By the others, where they share; null: nobody was heard yet. */
  #lent: number | null = null
  /** When it was last at rest. */
  #restedAtMs: number | null = null

  /** Every rule that this step broke, one sentence each, with the number it has among the invariants. */
  after(seen: LeaseSeen): string[] {
    const { database } = seen.fleet.settings
    if (database === null) return []
    const share = { available: this.#availableOf(seen.event, database), floor: database.floor }
    const broken: string[] = []
    this.#moveLimit(seen, share.available, broken)
    this.#bookEvent(seen, broken)
    for (const command of seen.commands) this.#bookCommand(command, seen, share, broken)
    this.#judgeServer(seen, broken)
    this.#judgeBeliefs(seen, broken)
    this.#judgeStarvation(seen, broken)
    this.#believed = seen.fleet.workers
    if (isAtRest(seen.fleet, share)) this.#restedAtMs = seen.event.nowMs
    return broken.length === 0 ? broken : broken.map((sentence) => `at ${seen.event.nowMs} ms, after ${seen.event.kind}: ${sentence}`)
  }

  /** What is wrong if, for so long after the faults, nothing has come to rest: workers that are replaced for their memory have a moment of it in between. */
  atRest({ fleet }: Pick<LeaseSeen, 'fleet'>, nowMs: number): string[] {
    const { database } = fleet.settings
    if (database === null || (this.#restedAtMs !== null && nowMs - this.#restedAtMs < REST_WITHIN_MS)) return []
    return restless(fleet, { available: this.#available, floor: database.floor }).map(
      (sentence) => `I9: ${sentence}, long after all faults have ended`,
    )
  }

  /** A replica that shares with others has its floor, or not even that before it has heard of them, and what it was lent. */
  #availableOf(event: FleetEvent, { available, isShared }: { readonly available: number; readonly isShared: boolean }): number {
    if (!isShared) return available
    if (event.kind === 'loanHeard') this.#lent = event.granted
    if (event.kind === 'loanEnded') this.#lent = 0
    return available + (this.#lent ?? -available)
  }

  /** The share of a replica grows by an operator's word, or by a loan, only: not because Redis has forgotten who else there is. */
  #moveLimit({ event, fleet }: LeaseSeen, available: number, broken: string[]): void {
    const hasGrown = this.#limit > 0 && available > this.#available && !GROWTH.has(event.kind)
    if (hasGrown) broken.push(`I7: the share grew from ${this.#available} to ${available} without a word`)
    this.#available = available
    const booked = this.#books.total() + this.#quarantined()
    // Those who share are told what the fleet believes to be held, and nobody else gets that, even where less is.
    const most = fleet.settings.database?.isShared ? Math.max(booked, this.#believedSum) : booked
    this.#limit = Math.max(available, Math.min(this.#limit, most))
    this.#believedLimit = Math.max(available, Math.min(this.#believedLimit, this.#believedSum))
  }

  #quarantined(): number {
    let sum = 0
    for (const { connections } of this.#dead.values()) sum += connections
    return sum
  }

  #bookEvent({ event, fleet }: LeaseSeen, broken: string[]): void {
    if (event.kind === 'leaseUsed') {
      const isOld = event.sequence < this.#books.newestWordTo(event.workerId)
      this.#books.promise(event.workerId, event.sequence, event.holds)
      const held = fleet.workers.find(({ id }) => id === event.workerId)?.lease.held
      const before = this.#believed.find(({ id }) => id === event.workerId)?.lease.held
      if (isOld && held !== undefined && before !== undefined && held < before)
        broken.push(`I6: word ${event.sequence} of worker ${event.workerId} is old, and still it gave back ${before - held} connections`)
    }
    if (event.kind === 'exited') {
      const connections = this.#books.mostOf(event.workerId)
      this.#books.close(event.workerId)
      if (connections > 0) this.#dead.set(event.workerId, { diedAtMs: event.nowMs, connections })
    }
    if (event.kind === 'backendsSeen')
      for (const [workerId, dead] of this.#dead) {
        if (event.askedAtMs < dead.diedAtMs + UNSEEN_MS) continue
        const seen = event.backends.find((each) => each.workerId === workerId)?.connections ?? 0
        dead.connections = Math.min(dead.connections, seen + event.starting)
        if (dead.connections === 0) this.#dead.delete(workerId)
      }
  }

  #bookCommand(command: Command, { fleet }: LeaseSeen, { available, floor }: { available: number; floor: number }, broken: string[]): void {
    if (command.kind === 'fork') {
      // What fed those that are there may have been lent to others since; they may be replaced.
      const there = fleet.settings.database?.isShared ? countStaying(this.#believed) : 0
      broken.push(...judgeFork(command.workerId, fleet.workers, Math.max(there, Math.floor(available / floor))))
    }
    if (command.kind !== 'lease') return
    for (const sentence of this.#books.say(command.workerId, command.sequence, command.granted)) broken.push(`I6: ${sentence}`)
    const booked = this.#books.total() + this.#quarantined()
    if (booked > this.#limit)
      broken.push(`I4: after the word to worker ${command.workerId} there may be ${booked} connections; there are ${this.#limit} to share out`)
  }

  #judgeServer({ connections }: LeaseSeen, broken: string[]): void {
    const booked = this.#books.total() + this.#quarantined()
    if (connections > this.#limit) broken.push(`I1: the server counts ${connections} connections; the budget is ${this.#limit}`)
    if (connections > booked) broken.push(`I3: the server counts ${connections} connections; ${booked} belong to anybody`)
  }

  /** Each connection belongs to one worker, one dead worker, or nobody. */
  #judgeBeliefs({ fleet }: LeaseSeen, broken: string[]): void {
    let sum = 0
    for (const { id, lease } of fleet.workers) {
      sum += lease.held
      const most = this.#books.mostOf(id)
      if (lease.held < most) broken.push(`I2: worker ${id} may have ${most} connections open; the fleet believes ${lease.held}`)
    }
    for (const { workerId, connections } of fleet.quarantine) {
      sum += connections
      if (fleet.quarantine.filter((other) => other.workerId === workerId).length > 1) broken.push(`I2: worker ${workerId} is in quarantine twice`)
    }
    for (const [workerId, { connections }] of this.#dead) {
      const quarantined = fleet.quarantine.find((each) => each.workerId === workerId)?.connections ?? 0
      if (quarantined < connections)
        broken.push(`I3: dead worker ${workerId} may have ${connections} connections open; ${quarantined} are in quarantine`)
    }
    if (sum > this.#believedLimit) broken.push(`I2: ${sum} connections are held or in quarantine; there are ${this.#believedLimit}`)
    this.#believedSum = sum
  }

  /** Every ready worker has one at least; where others were lent what fed it, it leaves. */
  #judgeStarvation({ event, fleet }: LeaseSeen, broken: string[]): void {
    const isShort =
      fleet.phase !== 'running' ||
      fleet.quarantine.length > 0 ||
      fleet.workers.some((each) => each.life.kind !== 'ready' || each.stuckAtMs !== null || each.lease.held !== each.lease.granted)
    if (isShort) this.#starvedSinceMs.clear()
    if (isShort) return
    for (const { id, lease } of fleet.workers) {
      if (lease.granted > 0) this.#starvedSinceMs.delete(id)
      else if (!this.#starvedSinceMs.has(id)) this.#starvedSinceMs.set(id, event.nowMs)
    }
    const longestMs = this.#available < fleet.workers.length ? SHORT_MS : STARVED_MS
    for (const [workerId, sinceMs] of this.#starvedSinceMs)
      if (event.nowMs - sinceMs > longestMs) broken.push(`I8: worker ${workerId} is ready and has had no connection for ${longestMs} ms`)
  }
}

const countStaying = (workers: readonly SeenWorker[]): number =>
  workers.filter(({ life, stuckAtMs }) => stuckAtMs === null && life.kind !== 'draining' && life.kind !== 'killing').length

/** Those that leave give back what they have; a successor takes the place of one that leaves then. */
function judgeFork(workerId: number, workers: readonly SeenWorker[], feeds: number): string[] {
  const staying = countStaying(workers)
  const successors = workers.some(({ replaces }) => replaces !== null) ? 1 : 0
  if (staying - successors <= feeds) return []
  return [`I8: worker ${workerId} was forked as one of ${staying}, though the connections feed ${feeds}`]
}

/** All is granted and confirmed, nobody lacks what there is, and the dead hold nothing. One floor may stay free for a newcomer. */
function isAtRest({ workers, quarantine }: LeaseSeen['fleet'], { available, floor }: { available: number; floor: number }): boolean {
  const { granted, held, needed } = sumOf(workers)
  return quarantine.length === 0 && held === granted && granted >= Math.min(available - floor, needed)
}

/** What keeps it from that. */
function restless({ workers, quarantine }: LeaseSeen['fleet'], { available, floor }: { available: number; floor: number }): string[] {
  const { granted, held, needed } = sumOf(workers)
  const broken: string[] = []
  if (quarantine.length > 0) broken.push(`${quarantine.length} workers are in quarantine`)
  if (held !== granted) broken.push(`${held - granted} connections are held beyond what was granted`)
  if (granted < Math.min(available - floor, needed)) broken.push(`${granted} of ${available} connections are granted, and ${needed} are needed`)
  return broken
}

function sumOf(workers: readonly SeenWorker[]): { readonly granted: number; readonly held: number; readonly needed: number } {
  let [granted, held, needed] = [0, 0, 0]
  for (const { lease } of workers) {
    granted += lease.granted
    held += lease.held
    needed += lease.inUse + lease.waiting
  }
  return { granted, held, needed }
}
