import { wordOf } from '../fleet/loan.ts'
import { beat } from '../policy/share.ts'
import type { ClusterSeen } from './cluster-checkers.ts'
import type { Backends } from './database.ts'
import type { Random } from './random.ts'
import type { Fault, FaultKind } from './scenario.ts'
import { VirtualMember } from './virtual-member.ts'
import { VirtualRedis } from './virtual-redis.ts'
import type { World } from './world.ts'

/** Calls to Redis and back; slow ones are sometimes beyond the deadline of a turn. */
const LATENCY_MS = 20
const SLOWEST_MS = 1000

interface Sharer {
  readonly id: string
  readonly world: World
  readonly member: VirtualMember
  /** Null where nobody limits its connections. */
  readonly backends: Backends | null
  isThere: boolean
}

export interface SharedBudgetParts {
  readonly faults: readonly Fault[]
  readonly random: Random
  readonly beat: typeof beat | undefined
}

/** What replicas share, by one document in Redis: what each tells of itself, and a budget of database connections where there is one for all. */
export class SharedBudget {
  readonly #redis: VirtualRedis
  readonly #random: Random
  readonly #faults: readonly Fault[]
  readonly #beat: typeof beat
  /** Those too that are gone and have left connections. */
  #sharers: Sharer[] = []
  #nowMs = 0
  /** What each was lent when the document was lost; null: it was not lost in this pass. */
  #lentAtLoss: Readonly<Record<string, number>> | null = null

  constructor({ faults, random, beat: ownBeat = beat }: SharedBudgetParts) {
    this.#redis = new VirtualRedis(random)
    this.#random = random
    this.#faults = faults
    this.#beat = ownBeat
  }

  join(id: string, world: World, backends: Backends | null, nowMs: number): void {
    this.#nowMs = nowMs
    const member = new VirtualMember(
      id,
      {
        redis: this.#redis,
        beat: this.#beat,
        word: () => wordOf(world.fleet),
        tell: (happens) => world.tell(happens, Math.max(0, this.#nowMs - world.nowMs)),
        census: () => Object.fromEntries(this.#sharers.map((each) => [each.id, this.#countOf(each)]).filter(([, open]) => open !== 0)),
        latencyMs: () => this.#latencyMs(),
      },
      nowMs,
    )
    this.#sharers.push({ id, world, member, backends, isThere: true })
  }

  /** An orderly end says good-bye; a crash says nothing. */
  leave(id: string, isOrderly: boolean, nowMs: number): void {
    this.#nowMs = nowMs
    const sharer = this.#sharers.find((each) => each.id === id)
    if (!sharer) return
    sharer.isThere = isOrderly
    if (isOrderly) sharer.member.leave(nowMs)
  }

  /** All have come to `nowMs`; some time has passed since the last call. */
  pass(nowMs: number): void {
    this.#lentAtLoss = null
    for (const { kind, atMs } of this.#faults) if (atMs > this.#nowMs && atMs <= nowMs) this.#strike(kind)
    this.#nowMs = nowMs
    for (const sharer of this.#sharers) if (sharer.isThere) sharer.member.pass(nowMs, !sharer.world.ended && sharer.world.clock.standsStill(nowMs))
    for (const sharer of this.#sharers) if (sharer.member.isGone) sharer.isThere = false
    this.#sharers = this.#sharers.filter((each) => each.isThere || this.#countOf(each) > 0)
  }

  /** For those who judge. */
  seen(): ClusterSeen {
    const replicas = this.#sharers.map((each) => ({
      id: each.id,
      connections: this.#countOf(each),
      askedAtMs: each.member.askedAtMs,
      lent: each.isThere ? each.world.fleet.loan.granted : null,
    }))
    return { atMs: this.#nowMs, replicas, lentAtLoss: this.#lentAtLoss }
  }

  #countOf({ backends }: Sharer): number {
    return backends?.countAt(this.#nowMs) ?? 0
  }

  #strike(kind: FaultKind): void {
    if (kind !== 'redis-flushed' && kind !== 'redis-restored') return
    const members = Object.entries(this.#redis.cluster?.members ?? {})
    this.#lentAtLoss = Object.fromEntries(members.map(([id, { part }]) => [id, Math.max(part?.granted ?? 0, part?.held ?? 0)]))
    if (kind === 'redis-flushed') this.#redis.flush()
    else this.#redis.restore()
  }

  #latencyMs(): number | null {
    if (this.#isInForce('redis-away')) return null
    return this.#isInForce('redis-slow') ? SLOWEST_MS * this.#random.next() : LATENCY_MS
  }

  #isInForce(kind: FaultKind): boolean {
    return this.#faults.some((fault) => fault.kind === kind && fault.atMs <= this.#nowMs && this.#nowMs < fault.atMs + fault.forMs)
  }
}
