import type { Word } from '../fleet/loan.ts'
import type { Peer, ReplicaTotals } from '../policy/replicas.ts'
import {
  ANSWER_MS,
  ATTEMPTS,
  BEAT_MS,
  DRIFT,
  EARLY_MS,
  type Cluster,
  type Sweep,
  type beat,
  MARGIN_MS,
  TTL_MS,
  isAlive,
  needsCensus,
  needsSweep,
} from '../policy/share.ts'
import { createWatchfulness } from '../policy/watchfulness.ts'
import type { NewEvent } from './turn.ts'
import type { VirtualRedis } from './virtual-redis.ts'

/** The database server needs so long to show who is there. */
const CENSUS_MS = 200

/** What a member has around it. */
export interface MemberWorld {
  word(): Word
  tell(happens: NewEvent): void
  /** Connections by member, as the database server shows them. */
  census(): Readonly<Record<string, number>>
  /** How long a call to Redis and its answer take; null: there is none. */
  latencyMs(): number | null
  readonly redis: VirtualRedis
  /** What becomes of the document when a member has its turn. */
  readonly beat: typeof beat
}

/** A call that is under way. A swap happens half way. */
interface Call {
  readonly kind: 'read' | 'swap'
  readonly arrivesAtMs: number
  readonly answersAtMs: number
  readonly runId: string
  readonly cluster: Cluster | null
  /** What it is to become, where it is a swap. */
  readonly after: string
  readonly before: string
  answer: { readonly isDone: boolean; readonly text: string; readonly nowMs: number } | null
}

/** The same turns as of a real replica, in virtual time: reads what all keep, makes of it what `beat` says, and hears what came of it. */
export class VirtualMember {
  readonly #id: string
  readonly #world: MemberWorld
  readonly #startedAtMs: number
  readonly #watchfulness = createWatchfulness()
  #sequence = 0
  #seenVersion = 0
  #untilMs = Number.NEGATIVE_INFINITY
  #askedAtMs = Number.NEGATIVE_INFINITY
  #sweep: Sweep | null = null
  #census: { readonly atMs: number; readonly sweep: Sweep } | null = null
  #call: Call | null = null
  #turn = { startedAtMs: 0, keeper: '', attempts: 0 }
  #nextTurnAtMs: number
  #isLeaving = false
  #isGone = false

  constructor(id: string, world: MemberWorld, startedAtMs: number) {
    this.#id = id
    this.#world = world
    this.#startedAtMs = startedAtMs
    this.#nextTurnAtMs = startedAtMs
    world.tell((nowMs) => ({ kind: 'peersHeard', ownId: id, others: null, nowMs }))
  }

  /** When the call was sent by which it has what it has. */
  get askedAtMs(): number {
    return this.#askedAtMs
  }

  /** Its last turn says good-bye; what is under way is not waited for. */
  leave(nowMs: number): void {
    this.#isLeaving = true
    this.#endLoan()
    this.#call = null
    this.#begin(nowMs)
  }

  get isGone(): boolean {
    return this.#isGone
  }

  /** A little time has passed. While its process stands still only what it has sent goes on its way. */
  pass(nowMs: number, standsStill: boolean): void {
    if (this.#isGone) return
    if (this.#call && nowMs >= this.#call.arrivesAtMs) this.#arrive(this.#call, nowMs)
    if (standsStill) return
    if (this.#census && nowMs >= this.#census.atMs) {
      this.#sweep = this.#census.sweep
      this.#census = null
    }
    if (!this.#call && nowMs >= this.#nextTurnAtMs) this.#begin(nowMs)
    else if (this.#call && nowMs >= this.#turn.startedAtMs + ANSWER_MS) this.#fail(nowMs)
    else if (this.#call?.answer && nowMs >= this.#call.answersAtMs) this.#hear(this.#call, this.#call.answer, nowMs)
  }

  #begin(nowMs: number): void {
    this.#endLoanInTime(nowMs)
    this.#turn = { startedAtMs: nowMs, keeper: this.#world.redis.runId, attempts: 0 }
    this.#send('read', '', '', null, nowMs)
  }

  #send(kind: Call['kind'], before: string, after: string, cluster: Cluster | null, nowMs: number): void {
    const latencyMs = this.#world.latencyMs() ?? Number.POSITIVE_INFINITY
    const [arrivesAtMs, answersAtMs] = [nowMs + latencyMs / 2, nowMs + latencyMs]
    this.#call = { kind, before, after, cluster, arrivesAtMs, answersAtMs, runId: this.#turn.keeper, answer: null }
  }

  /** A server that has ended meanwhile answers nothing. */
  #arrive(call: Call, nowMs: number): void {
    const { redis } = this.#world
    if (call.answer || call.runId !== redis.runId) return
    const isDone = call.kind === 'swap' && redis.swap(call.before, call.after)
    call.answer = { isDone, text: redis.text, nowMs: redis.at(nowMs) }
  }

  #fail(nowMs: number): void {
    this.#call = null
    this.#rest(nowMs)
    this.#tellPeers(null)
    if (this.#seenVersion === 0 && nowMs >= this.#startedAtMs + TTL_MS + MARGIN_MS) this.#endLoan()
    this.#endLoanInTime(nowMs)
  }

  #rest(nowMs: number): void {
    this.#nextTurnAtMs = nowMs + BEAT_MS
    this.#isGone = this.#isLeaving
  }

  #endLoanInTime(nowMs: number): void {
    if (this.#untilMs === Number.NEGATIVE_INFINITY || nowMs < this.#untilMs - EARLY_MS) return
    this.#untilMs = Number.NEGATIVE_INFINITY
    this.#endLoan()
  }

  #hear({ kind, cluster }: Call, { isDone, text, nowMs: keeperMs }: NonNullable<Call['answer']>, nowMs: number): void {
    if (kind === 'swap' && isDone && cluster) return this.#heard(cluster, keeperMs, nowMs)
    if (kind === 'swap' && ++this.#turn.attempts >= ATTEMPTS) return this.#fail(nowMs)
    this.#endLoanInTime(nowMs)
    const { part, totals } = this.#world.word()
    const next = this.#world.beat(this.#world.redis.clusterOf(text), {
      member: this.#id,
      sequence: ++this.#sequence,
      keeper: this.#turn.keeper,
      nowMs: keeperMs,
      seenVersion: this.#seenVersion,
      newEpoch: `${this.#id} ${this.#sequence}`,
      part,
      says: totals,
      sweep: this.#sweep,
      leaves: this.#isLeaving,
    })
    this.#send('swap', text, JSON.stringify(next), next, nowMs)
  }

  #heard(cluster: Cluster, keeperMs: number, nowMs: number): void {
    this.#call = null
    this.#rest(nowMs)
    this.#seenVersion = cluster.version
    this.#sweep = null
    if (this.#isGone) return
    this.#askedAtMs = this.#turn.startedAtMs
    this.#untilMs = Math.floor(this.#turn.startedAtMs + TTL_MS * (1 - DRIFT))
    const others = Object.entries(cluster.members).flatMap(([id, member]): Peer[] =>
      id === this.#id || !isAlive(member, keeperMs) ? [] : [{ id, name: id, address: null, totals: member.says as ReplicaTotals | null }],
    )
    this.#tellPeers(others)
    const [granted, untilMs] = [cluster.members[this.#id]?.part?.granted ?? 0, this.#untilMs]
    this.#world.tell((atMs) => ({ kind: 'loanHeard', granted, untilMs, nowMs: atMs }))
    const isWatched = this.#watchfulness.mayAsk(cluster, nowMs)
    if (needsCensus(cluster, this.#id) || (isWatched && needsSweep(cluster, keeperMs))) this.#look(cluster, keeperMs, nowMs)
  }

  #tellPeers(others: Peer[] | null): void {
    this.#world.tell((nowMs) => ({ kind: 'peersHeard', ownId: this.#id, others, nowMs }))
  }

  #endLoan(): void {
    this.#world.tell((nowMs) => ({ kind: 'loanEnded', nowMs }))
  }

  #look({ epoch, members }: Cluster, keeperMs: number, nowMs: number): void {
    if (this.#census) return
    const sequences = this.#watchfulness.silent(members, nowMs)
    const sweep = { epoch, atMs: keeperMs, sequences, connections: this.#world.census(), unnamed: 0 }
    this.#census = { atMs: nowMs + CENSUS_MS, sweep }
  }
}
