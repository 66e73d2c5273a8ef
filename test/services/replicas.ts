import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, expect } from 'vitest'
import type { Status } from '../../packages/supervisor/src/fleet/status.ts'
import { type Cluster, MARGIN_MS, TTL_MS } from '../../packages/supervisor/src/policy/share.ts'
import type { Stage } from '../processes/harness.ts'
import type { Station } from '../processes/harness/station.ts'
import { until } from '../processes/harness/until.ts'
import { FaultyRelay } from './faulty-relay.ts'
import { type Judge, openJudge } from './judge.ts'
import { type FailingRedis, inRedis, startFailingRedis } from './redis.ts'

/**
 * Replicas, which all want more than there is, on one Redis that fails in every way, and PostgreSQL as the judge: its limit for the role is
 * what the workers and the supervisors may have together, so one connection too many is refused, logged, and fails the test.
 */

const entry = fileURLToPath(new URL('fixtures/uses-database.mjs', import.meta.url))
const BUDGET = 40
const RESERVE = 6
const WORKERS = BUDGET - RESERVE
/** What each replica is sure of: its smallest fleet of one, and a successor. */
export const FLOOR = 4
/** Longer than a lease with its margin, and what a machine under load adds. */
export const BOUND_MS = 40_000
/** Each replica writes the document anew so often, if nothing is in its way. */
const BEAT_MS = 1000
const LOOK_MS = 50

export class Replicas {
  judge!: Judge
  redis!: FailingRedis
  relay!: FaultyRelay
  #services = 0
  #floors: FloorWatch[] = []

  /** As a deployment of its own, whose replicas are all of one service. */
  async deploy(stage: Stage, count: number, replicas = 3): Promise<Station[]> {
    const config = { database: { budget: BUDGET, reserve: RESERVE, minPerWorker: 2, replicas }, workers: { min: 1, max: 2 } }
    const env = {
      DATABASE_URL: this.judge.url,
      REDIS_URL: `redis://127.0.0.1:${this.relay.port}`,
      RAILWAY_SERVICE_ID: `service-${this.#services}`,
      LOOPS: '8',
      STEADY_LOOPS: '32',
    }
    const fleets: Station[] = []
    while (fleets.length < count) fleets.push(await stage.launch({ entry, config, env }))
    // A replica that cannot ask the others starts no worker before their loans must be over.
    await Promise.all(fleets.map((fleet) => fleet.until('a worker', ({ fleet: { ready } }) => ready === 1, BOUND_MS)))
    return fleets
  }

  /** The judge allows the workers' part, and one connection to each supervisor. */
  async begin(replicas = 3): Promise<void> {
    this.#services++
    await this.judge.limit(WORKERS + replicas)
    this.judge.watch()
  }

  async three(stage: Stage, replicas = 3): Promise<Station[]> {
    await this.begin(replicas)
    const fleets = await this.deploy(stage, 3, replicas)
    await this.meet(fleets)
    await this.fullyUsed(fleets, replicas)
    return fleets
  }

  async meet(fleets: readonly Station[]): Promise<void> {
    const haveMet = ({ replica }: Status): boolean => replica.coordination === 'redis' && replica.peers === fleets.length
    for (const fleet of fleets) await fleet.until(`${fleets.length} replicas`, haveMet, BOUND_MS)
  }

  async lost(fleets: readonly Station[]): Promise<void> {
    for (const fleet of fleets) await fleet.until('Redis lost', ({ replica }) => replica.coordination === 'redis-lost', BOUND_MS)
  }

  /** Nine tenths of what can be lent, with room for the floors of those that may come. */
  async fullyUsed(fleets: readonly Station[], replicas = 3): Promise<void> {
    const most = WORKERS - FLOOR * (replicas - fleets.length)
    await until('nine tenths of the connections in use', () => this.judge.now - fleets.length >= 0.9 * most, {
      boundMs: BOUND_MS,
      instead: () => `${this.judge.now} of ${most}`,
    })
  }

  /**
   * All that there is belongs to somebody again, within two leases from that version on, and the calm before them where something was forgotten.
   * Time is counted in beats, by the document that each beat brings one version on, so a busy machine, whose beats are late too, has its time.
   */
  async recovered(fleets: readonly Station[], from: number, calmMs = 0): Promise<void> {
    let last = Number.NaN
    await until(
      'everything granted',
      async () => {
        const seen = await Promise.all(fleets.map((fleet) => fleet.status()))
        last = seen.reduce((sum, status) => sum + (status?.replica.peers === fleets.length ? (status.database?.granted ?? 0) : 0), 0)
        // In the calm nobody has to give anything back, and nobody grows.
        return last >= 0.9 * WORKERS && (await this.document()).isSwept
      },
      { boundMs: BOUND_MS * 2, instead: () => `${last}` },
    )
    const beats = ((2 * TTL_MS + calmMs) / BEAT_MS) * fleets.length
    expect((await this.document()).version - from).toBeLessThanOrEqual(beats)
    await this.fullyUsed(fleets)
  }

  /** After something was forgotten nobody grows for so long. */
  readonly calmMs: number = TTL_MS + MARGIN_MS

  /** The least that each of them is granted from now on. */
  watchFloors(fleets: readonly Station[]): FloorWatch {
    const watch = new FloorWatch(fleets)
    this.#floors.push(watch)
    return watch
  }

  async emptyQuarantine(fleets: readonly Station[]): Promise<void> {
    for (const fleet of fleets) await fleet.until('an empty quarantine', ({ database }) => database?.quarantined === 0)
  }

  /** What the server itself has to say: how many there ever were, and whom it refused. */
  expectKept(replicas = 3): void {
    expect(this.judge.looks).toBeGreaterThan(20)
    expect(this.judge.most).toBeLessThanOrEqual(WORKERS + replicas)
    expect(this.judge.logged('too many connections')).toEqual([])
    expect(this.judge.logged('53300')).toEqual([])
  }

  get key(): string {
    return `stationmaster:service-${this.#services}`
  }

  /** Null where there is none. */
  async text(): Promise<string | null> {
    return await inRedis(this.redis.port, async (client) => await client.get(this.key))
  }

  async document(): Promise<Cluster> {
    return JSON.parse((await this.text()) ?? '{}')
  }

  async open(): Promise<void> {
    this.redis = await startFailingRedis()
    this.relay = await new FaultyRelay(this.redis.port).open()
    await until('an empty server', async () => (await this.judge.count()) === 0)
  }

  async close(): Promise<void> {
    for (const watch of this.#floors.splice(0)) await watch.end()
    await this.judge.stopWatching()
    await this.relay.close()
    await this.redis.stop()
  }
}

/** How little each ever had. */
export class FloorWatch {
  readonly #lowest: Map<Station, number>
  readonly #looking: Promise<void>
  #isOver = false

  constructor(fleets: readonly Station[]) {
    this.#lowest = new Map(fleets.map((fleet) => [fleet, Number.NaN]))
    this.#looking = this.#look()
  }

  async #look(): Promise<void> {
    while (!this.#isOver) {
      for (const [fleet, lowest] of this.#lowest) {
        const granted = (await fleet.status())?.database?.granted
        if (granted !== undefined) this.#lowest.set(fleet, Number.isNaN(lowest) ? granted : Math.min(lowest, granted))
      }
      await pause(LOOK_MS)
    }
  }

  async end(): Promise<readonly number[]> {
    this.#isOver = true
    await this.#looking
    return [...this.#lowest.values()]
  }

  async expectKept(): Promise<void> {
    for (const lowest of await this.end()) expect(lowest).toBeGreaterThanOrEqual(FLOOR)
  }
}

/** A judge for the file, and a Redis for each test. */
export function replicasUnderTest(): Replicas {
  const replicas = new Replicas()
  beforeAll(async () => {
    replicas.judge = await openJudge()
  })
  beforeEach(async () => {
    await replicas.open()
    return async () => await replicas.close()
  })
  afterAll(async () => {
    await replicas.judge?.close()
  })
  return replicas
}
