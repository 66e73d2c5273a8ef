import type { DatabaseState, PrimaryMessage, WorkerMessage } from '../wire/messages.ts'
import { BackOff } from './back-off.ts'

/** A pool as the ledger sees it. */
export interface LedgerMember {
  readonly inUse: number
  readonly waiting: number
  /** Lets waiting callers try again, as long as there is room. */
  wake(): void
  /** Closes up to so many idle connections; answers how many. */
  closeIdle(count: number): number
}

type Send = (message: Extract<WorkerMessage, { kind: 'leaseUse' | 'databaseState' }>) => void

/** Demand that goes up and down is told this often: the supervisor moves connections, it does not watch every query. */
const TELL_AGAIN_MS = 100

/**
 * Counts the database connections of this process, of all its pools together, from the attempt to connect until the server has let go,
 * and keeps them within the lease. Above it nothing is opened, and what is given back is closed; nothing in use is ever cut.
 */
export class ConnectionLedger {
  readonly #backOffs = new Map<string, BackOff>()
  readonly #send: Send
  readonly #members = new Set<LedgerMember>()
  readonly #listeners = new Set<() => void>()
  #sequence = 0
  #granted = 0
  /** When the lease is over unless it is said again; null: never. By the clock that all processes of a machine share. */
  #untilMs: number | null = null
  #end: NodeJS.Timeout | null = null
  #open = 0
  /** Connections on their way out: idle ones that were told to end. */
  #closing = 0
  /** What the app's own pool, of another make, may have open. */
  #external = 0
  #timer: NodeJS.Timeout | null = null
  #toldAtMs = Number.NEGATIVE_INFINITY
  #told = { inUse: 0, waiting: 0 }
  #isWanted = false
  /** What listeners last heard of. */
  #known = 0

  constructor(send: Send) {
    this.#send = send
  }

  /** Shared by all pools that speak to the same server. */
  backOffOf(server: string): BackOff {
    const known = this.#backOffs.get(server)
    if (known) return known
    const share = (outage: Omit<DatabaseState, 'kind' | 'server'>): void => this.#send({ kind: 'databaseState', server, ...outage })
    const backOff = new BackOff({ onOver: () => this.wakeAll(), share })
    this.#backOffs.set(server, backOff)
    return backOff
  }

  /** What may be open now. */
  get granted(): number {
    return this.#untilMs !== null && monotonicMs() >= this.#untilMs ? 0 : this.#granted
  }

  get open(): number {
    return this.#open + this.#external
  }

  get external(): number {
    return this.#external
  }

  get inUse(): number {
    return this.#sum(({ inUse }) => inUse) + this.#external
  }

  get waiting(): number {
    return this.#sum(({ waiting }) => waiting)
  }

  /** What this worker promises to stay within until it hears something newer. */
  get holds(): number {
    return Math.max(this.#granted, this.open)
  }

  get mayOpen(): boolean {
    return this.open < this.granted
  }

  /** More is open, and not yet on its way out, than the lease allows. */
  get isAbove(): boolean {
    return this.open - this.#closing > this.granted
  }

  join(member: LedgerMember): void {
    this.#members.add(member)
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** What the primary says: a lease, or what another worker met when it wanted to connect. */
  hear(message: Extract<PrimaryMessage, { kind: 'lease' | 'databaseState' }>): void {
    if (message.kind === 'lease') this.take(message.sequence, message.granted, message.untilMs)
    else this.backOffOf(message.server).heard(message)
  }

  /** A new lease, or the same once more: then the answer was lost. */
  take(sequence: number, granted: number, untilMs: number | null): void {
    if (sequence < this.#sequence) return
    const before = this.#known
    this.#sequence = sequence
    this.#granted = granted
    this.#untilMs = untilMs
    this.#noteChange(before)
    this.#tellNow()
    if (this.#end) clearTimeout(this.#end)
    this.#end = untilMs === null ? null : setTimeout(() => this.#noteChange(this.#known), untilMs - monotonicMs()).unref()
  }

  /** One more attempt to connect. Answers how to say that the server has let go of it; saying it twice does no harm. */
  opened(): () => void {
    this.#open++
    let isOpen = true
    return () => {
      if (!isOpen) return
      isOpen = false
      const wasAbove = this.open > this.#granted
      this.#open--
      this.wakeAll()
      if (wasAbove) this.#tellNow()
    }
  }

  /** The same for a connection that was told to end. */
  closing(): () => void {
    this.#closing++
    let isClosing = true
    return () => {
      if (isClosing) this.#closing--
      isClosing = false
    }
  }

  /** Says what the app's own pool may have open from now on. */
  setExternal(connections: number): void {
    this.#external = connections
    this.#shrink()
    this.wakeAll()
    this.#tellNow()
  }

  /** Somebody waits because the lease is used up: an idle connection of another pool can make room, and the supervisor can give more. */
  wanted(): void {
    // A single pool has no idle connection that it does not use itself, and what is about to be told need not be told twice.
    if (this.#isWanted || (this.#timer && this.#members.size === 1)) return
    this.#isWanted = true
    setImmediate(() => {
      this.#isWanted = false
      if (this.waiting === 0 || this.mayOpen) return
      if (this.#closing === 0) this.#closeIdle(1)
      this.#tellSoon()
    })
  }

  /** Once a tick: what was not worth a message of its own. */
  tellChanges(): void {
    const { inUse, waiting } = this
    if (inUse !== this.#told.inUse || waiting !== this.#told.waiting) this.#tellNow()
  }

  wakeAll(): void {
    for (const member of this.#members) member.wake()
  }

  #noteChange(before: number): void {
    this.#known = this.granted
    if (this.#known !== before) for (const listener of this.#listeners) listener()
    this.#shrink()
    this.wakeAll()
  }

  #tellSoon(): void {
    if (this.#timer || this.#sequence === 0) return
    const waitMs = Math.max(0, this.#toldAtMs + TELL_AGAIN_MS - performance.now())
    this.#timer = setTimeout(() => this.#tellNow(), waitMs)
    this.#timer.unref()
  }

  #tellNow(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#sequence === 0) return
    this.#toldAtMs = performance.now()
    this.#told = { inUse: this.inUse, waiting: this.waiting }
    this.#send({ kind: 'leaseUse', sequence: this.#sequence, holds: this.holds, external: this.#external, ...this.#told })
  }

  #shrink(): void {
    const surplus = this.open - this.#closing - this.granted
    if (surplus > 0) this.#closeIdle(surplus)
  }

  #closeIdle(count: number): void {
    let left = count
    for (const member of this.#members) left -= left > 0 ? member.closeIdle(left) : 0
  }

  #sum(of: (member: LedgerMember) => number): number {
    let sum = 0
    for (const member of this.#members) sum += of(member)
    return sum
  }
}

/** A stopped supervisor cannot say that a lease is over, so its end is a time that every process can tell. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n)
}
