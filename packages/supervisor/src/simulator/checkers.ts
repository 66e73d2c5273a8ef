import type { Command } from '../fleet/command.ts'
import type { FleetEvent } from '../fleet/event.ts'
import type { FleetSettings } from '../fleet/fleet.ts'
import type { Note } from '../fleet/note.ts'

/**
 * Judges a fleet by what it says and is told, after every step. It keeps books of its own from commands and events, and shares no
 * code with those that decide: what both believe wrongly would stay unseen.
 */

export interface Seen {
  readonly event: FleetEvent
  readonly commands: readonly Command[]
  readonly notes: readonly Note[]
  readonly fleet: { readonly target: number; readonly phase: string; readonly reload: object | null }
  readonly ledger: { readonly arrived: number; readonly answered: number; readonly cut: number; readonly waiting: number }
}

interface Entry {
  role: 'worker' | 'spare'
  state: 'booting' | 'ready' | 'leaving'
  readonly forkedAtMs: number
  /** It was found stuck: from here on it may be killed, and is no loss. */
  stuck: boolean
  killAllowedFromMs: number
}

/** The last kill and the exit that follows it take a moment. */
const STOP_SLACK_MS = 300

export class Checkers {
  readonly #settings: FleetSettings
  readonly #books = new Map<number, Entry>()
  readonly #answered = new Set<number>()
  #stopAtMs: number | null = null
  #stops = 0
  /** Ready workers that a reload has to keep; null while none is under way. */
  #floor: number | null = null

  constructor(settings: FleetSettings) {
    this.#settings = settings
  }

  /** Every rule that this step broke, one sentence each. */
  after(seen: Seen): string[] {
    const lost = this.#bookEvent(seen.event)
    const broken: string[] = []
    for (const command of seen.commands) broken.push(...this.#bookCommand(command, seen))
    this.#moveFloor(seen, lost)
    this.#judgeCounts(seen, broken)
    this.#judgeLedger(seen.ledger, broken)
    for (const note of seen.notes) if (note.kind === 'supervisor:bug') broken.push(`a bug was reported: ${note.message}`)
    return broken.length === 0 ? broken : broken.map((sentence) => `at ${seen.event.nowMs} ms, after ${seen.event.kind}: ${sentence}`)
  }

  ready(): number {
    let ready = 0
    for (const { role, state, stuck } of this.#books.values()) if (role === 'worker' && state === 'ready' && !stuck) ready++
    return ready
  }

  /** Answers how many ready workers were lost by what happened, not by what was decided. */
  #bookEvent(event: FleetEvent): number {
    if (event.kind === 'stopRequested') {
      this.#stops++
      this.#stopAtMs ??= event.nowMs
    }
    if (!('workerId' in event)) return 0
    const entry = this.#books.get(event.workerId)
    if (!entry) return 0
    if (event.kind === 'readied' && entry.state === 'booting') entry.state = 'ready'
    if (event.kind === 'drainRequested') return 1
    if (event.kind !== 'exited') return 0
    this.#books.delete(event.workerId)
    return entry.role === 'worker' && entry.state === 'ready' && !entry.stuck ? 1 : 0
  }

  #bookCommand(command: Command, seen: Seen): string[] {
    if (command.kind === 'fork') return this.#bookFork(command, seen)
    if (command.kind === 'answer') {
      const twice = this.#answered.has(command.requestId)
      this.#answered.add(command.requestId)
      return twice ? [`request ${command.requestId} was answered twice`] : []
    }
    if (command.kind === 'publish') return this.#bookRoutes(command.routes)
    if (command.kind === 'exit') return this.#books.size > 0 ? [`the supervisor ended and left ${this.#books.size} workers`] : []
    if (command.kind === 'askBackends') return []
    const entry = this.#books.get(command.workerId)
    if (!entry) return [`${command.kind} was sent to worker ${command.workerId}, which is not there`]
    if (command.kind === 'promote') return this.#bookPromotion(entry)
    if (command.kind === 'drain') return this.#bookDrain(entry, command.timeoutMs, seen)
    if (command.kind === 'kill') return this.#bookKill(entry, seen)
    if (command.kind === 'diagnose') entry.stuck = true
    return []
  }

  /** New clients go to ready workers only. */
  #bookRoutes(routes: readonly { readonly workerId: number }[]): string[] {
    const lost = routes.filter(({ workerId }) => this.#books.get(workerId)?.state !== 'ready')
    return lost.map(({ workerId }) => `worker ${workerId} is a route, but it is not ready`)
  }

  #bookFork(command: Extract<Command, { kind: 'fork' }>, seen: Seen): string[] {
    const { nowMs } = seen.event
    const { bootTimeoutMs } = this.#settings.workers
    const known = this.#books.has(command.workerId)
    this.#books.set(command.workerId, {
      role: command.role,
      state: 'booting',
      forkedAtMs: nowMs,
      stuck: false,
      killAllowedFromMs: nowMs + bootTimeoutMs,
    })
    if (known) return [`worker ${command.workerId} was forked twice`]
    return seen.fleet.phase === 'draining' ? ['a worker was forked though the fleet stops'] : []
  }

  #bookPromotion(entry: Entry): string[] {
    const wasSpare = entry.role === 'spare' && entry.state !== 'leaving'
    entry.role = 'worker'
    return wasSpare ? [] : ['one that is no spare was promoted']
  }

  #bookDrain(entry: Entry, timeoutMs: number, seen: Seen): string[] {
    const serves = entry.role === 'worker' && entry.state === 'ready' && !entry.stuck
    entry.state = 'leaving'
    entry.killAllowedFromMs = seen.event.nowMs + timeoutMs
    const promoted = seen.commands.some((command) => command.kind === 'promote')
    if (serves && this.ready() === 0 && !promoted && seen.fleet.phase !== 'draining') return ['the last ready worker was sent away']
    return []
  }

  #bookKill(entry: Entry, seen: Seen): string[] {
    const hadCause = entry.stuck || this.#stops >= 3 || seen.event.nowMs >= entry.killAllowedFromMs
    entry.state = 'leaving'
    return hadCause ? [] : ['a worker was killed without cause']
  }

  /** A reload never costs a ready worker; a crash, a stuck loop, an operator or a smaller target may. */
  #moveFloor(seen: Seen, lost: number): void {
    if (seen.event.kind === 'reloadRequested') this.#floor = this.ready()
    else if (this.#floor !== null) {
      const stuck = seen.commands.filter((command) => command.kind === 'diagnose').length
      this.#floor = Math.min(this.#floor - lost - stuck, seen.fleet.target)
    }
    if (seen.fleet.reload === null) this.#floor = null
  }

  #judgeCounts(seen: Seen, broken: string[]): void {
    const { max, spares } = this.#settings.workers
    let staying = 0
    let waiting = 0
    for (const { role, state, stuck } of this.#books.values()) {
      if (state === 'leaving' || stuck) continue
      staying++
      if (role === 'spare') waiting++
    }
    // One more than the most: a successor beside the one it replaces.
    if (staying > max + 1) broken.push(`${staying} workers stay; workers.max is ${max}`)
    if (waiting > (spares === 'auto' ? 1 : spares)) broken.push(`${waiting} spares; workers.spares is ${spares}`)
    if (this.#floor !== null && this.ready() < this.#floor) broken.push(`${this.ready()} workers are ready; the reload began with ${this.#floor}`)
    if (this.#stopAtMs !== null && seen.fleet.phase !== 'stopped') {
      const lateMs = seen.event.nowMs - this.#stopAtMs - this.#settings.drain.timeoutMs
      if (lateMs > STOP_SLACK_MS) broken.push(`the stop is ${lateMs} ms late`)
    }
  }

  #judgeLedger({ arrived, answered, cut, waiting }: Seen['ledger'], broken: string[]): void {
    if (arrived !== answered + cut + waiting) broken.push(`of ${arrived} requests ${answered} were answered, ${cut} cut and ${waiting} wait`)
  }
}
