import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Word } from '../fleet/loan.ts'
import type { Peer } from '../policy/replicas.ts'
import {
  ANSWER_MS,
  ATTEMPTS,
  BEAT_MS,
  DRIFT,
  EARLY_MS,
  beat,
  type Cluster,
  isAlive,
  needsCensus,
  needsSweep,
  type Sweep,
  MARGIN_MS,
  TTL_MS,
} from '../policy/share.ts'
import type { Coordination, CoordinationEdges } from '../primary/ports.ts'
import { parseSelf } from '../wire/cluster.ts'
import { type Kept, Keeper } from './keeper.ts'
import { isOfGroup } from './member-name.ts'
import type { RedisClient } from './redis-client.ts'
import { createWatchfulness } from '../policy/watchfulness.ts'

export interface MembershipOptions {
  readonly client: RedisClient
  /** Where the replicas of this service keep what they know. */
  readonly key: string
  /** Of this start of this replica; its database connections are named by it. */
  readonly member: string
  /** As the platform calls this replica. */
  readonly name: string
  readonly address: string | null
  /** What the database shows, by member; rejects if it does not answer. */
  census(): Promise<Pick<Sweep, 'connections' | 'unnamed'>>
  warn(sentence: string): void
}

/** Redis may need so long until it is reached for the first time. */
const CONNECT_MS = 2000

/** This replica among the others: says what is true of it, hears what it may have, again and again. */
export class Membership implements Coordination {
  readonly #options: MembershipOptions
  readonly #keeper: Keeper
  readonly #watchfulness = createWatchfulness()
  #edges: CoordinationEdges | null = null
  #server: Promise<string | null> | null = null
  #sequence = 0
  #seenVersion = 0
  #startedAtMs = Number.POSITIVE_INFINITY
  #untilMs = Number.NEGATIVE_INFINITY
  #sweep: Sweep | null = null
  #isSweeping = false
  #isLost = false
  #isCrowded = false
  #isClosed = false
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: MembershipOptions) {
    this.#options = options
    const { client } = options
    this.#keeper = new Keeper(client, options.key)
    client.on('error', () => {}) // a call that fails says so itself
    client.on('close', () => {
      this.#server = null
    })
  }

  start(edges: CoordinationEdges): void {
    this.#edges = edges
    this.#startedAtMs = monotonicMs()
    edges.heard({ kind: 'peersHeard', ownId: this.#options.member, others: null })
    void this.#run(edges)
  }

  /** Says good-bye, if Redis listens. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#turn
    if (this.#edges && !this.#isLost) {
      this.#edges.heard({ kind: 'loanEnded' }) // what is left of it is what workers still have open
      await this.#beat(this.#edges, true).catch(() => {})
    }
    this.#options.client.disconnect()
  }

  async #run(edges: CoordinationEdges): Promise<void> {
    const connected = this.#options.client.connect().catch(() => {})
    this.#turn = Promise.race([connected, pause(CONNECT_MS, undefined, { ref: false })])
    await this.#turn
    while (!this.#isClosed) {
      this.#turn = this.#takeTurn(edges)
      await this.#turn
      await pause(BEAT_MS, undefined, { ref: false })
    }
  }

  async #takeTurn(edges: CoordinationEdges): Promise<void> {
    this.#endLoanInTime(edges)
    try {
      await this.#beat(edges, false)
      if (this.#isLost) this.#options.warn('Redis answers again: this replica knows of the others.')
      this.#isLost = false
    } catch (error) {
      if (!this.#isLost && !this.#isClosed) {
        this.#options.warn(
          `Redis does not answer, so this replica knows nothing of the others and keeps to its own part of what they share: ${messageOf(error)}`,
        )
        edges.heard({ kind: 'peersHeard', ownId: this.#options.member, others: null })
      }
      this.#isLost = true
      this.#takeFloor(edges)
    }
    this.#endLoanInTime(edges)
  }

  /** Nobody can be asked for room, so the floor is ours by right: once the loans of one that we may be in the place of are over. */
  #takeFloor(edges: CoordinationEdges): void {
    if (this.#seenVersion > 0 || monotonicMs() < this.#startedAtMs + TTL_MS + MARGIN_MS) return
    edges.heard({ kind: 'loanEnded' })
  }

  #endLoanInTime(edges: CoordinationEdges): void {
    if (this.#untilMs === Number.NEGATIVE_INFINITY || monotonicMs() < this.#untilMs - EARLY_MS) return
    this.#untilMs = Number.NEGATIVE_INFINITY
    edges.heard({ kind: 'loanEnded' })
  }

  async #beat(edges: CoordinationEdges, leaves: boolean): Promise<void> {
    const deadline = AbortSignal.timeout(ANSWER_MS)
    const inTime = <Value>(answer: Promise<Value>): Promise<Value> => Promise.race([answer, whenOver(deadline)])
    const keeper = await inTime(this.#serverId())
    const askedAtMs = monotonicMs()
    let kept = await inTime(this.#keeper.read())
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      this.#endLoanInTime(edges)
      const cluster = this.#changed(kept, edges.word(), keeper, leaves)
      const { isDone, kept: next } = await inTime(this.#keeper.write(kept, cluster))
      if (isDone) return this.#heard(edges, cluster, next, askedAtMs)
      kept = next
    }
    throw new Error(`${ATTEMPTS} attempts met those of others`)
  }

  #changed(kept: Kept, { part, totals }: Word, keeper: string | null, leaves: boolean): Cluster {
    const { name, address, member } = this.#options
    return beat(kept.cluster, {
      member,
      sequence: ++this.#sequence,
      keeper,
      nowMs: kept.nowMs,
      seenVersion: this.#seenVersion,
      newEpoch: randomUUID(),
      part,
      says: { name, address, totals },
      sweep: this.#sweep,
      leaves,
    })
  }

  #heard(edges: CoordinationEdges, cluster: Cluster, { nowMs }: Kept, askedAtMs: number): void {
    const { member } = this.#options
    this.#seenVersion = cluster.version
    this.#sweep = null
    const alive = Object.entries(cluster.members).filter(([, each]) => isAlive(each, nowMs))
    const others = alive.flatMap(([id, { says }]): Peer[] => {
      const self = id === member ? null : parseSelf(says)
      return self ? [{ ...self, id }] : []
    })
    this.#untilMs = Math.floor(askedAtMs + TTL_MS * (1 - DRIFT))
    this.#warnOfCrowd(cluster, nowMs)
    const granted = cluster.members[member]?.part?.granted ?? 0
    edges.heard({ kind: 'peersHeard', ownId: member, others })
    edges.heard({ kind: 'loanHeard', granted, untilMs: this.#untilMs })
    const isWatched = this.#watchfulness.mayAsk(cluster, monotonicMs())
    if (needsCensus(cluster, member) || (isWatched && needsSweep(cluster, nowMs))) void this.#look(cluster, nowMs)
  }

  /** Once each time that there are more than the configuration says. */
  #warnOfCrowd({ members }: Cluster, nowMs: number): void {
    const expected = members[this.#options.member]?.part?.replicas ?? Number.POSITIVE_INFINITY
    const sharing = Object.values(members).filter((each) => each.part !== null && isAlive(each, nowMs)).length
    const isCrowded = sharing > expected
    if (isCrowded && !this.#isCrowded)
      this.#options.warn(
        `${sharing} replicas share the database budget, and database.replicas says ${expected}: connections are lent to those that are there, so the next one may have to wait for its own. Set database.replicas to the most there are at the same time, an old and a new deployment counted together.`,
      )
    this.#isCrowded = isCrowded
  }

  async #look({ epoch, members }: Cluster, atMs: number): Promise<void> {
    // Who has no budget does not know where to ask.
    const isForeign = members[this.#options.member]?.part === null && Object.values(members).some(({ part }) => part !== null)
    if (this.#isSweeping || isForeign) return
    this.#isSweeping = true
    const sequences = this.#watchfulness.silent(members, monotonicMs())
    const seen = await this.#options.census().catch(() => null)
    this.#isSweeping = false
    if (!seen) return
    const connections = Object.fromEntries(Object.entries(seen.connections).filter(([id]) => isOfGroup(id, this.#options.member)))
    this.#sweep = { epoch, atMs, sequences, connections, unnamed: seen.unnamed }
  }

  /** Another process keeps the document after a failure, and may have an older copy of it. */
  #serverId(): Promise<string | null> {
    this.#server ??= this.#options.client.info('server').then((text) => /^run_id:(\w+)/m.exec(text)?.[1] ?? null)
    this.#server.catch(() => {
      this.#server = null
    })
    return this.#server
  }
}

/** All processes of a machine share this clock. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n)
}

function whenOver(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('no answer in time')), { once: true }))
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
