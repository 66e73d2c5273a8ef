import { fileURLToPath } from 'node:url'
import type { Service } from 'example-app/services'
import { startRedis } from 'example-app/services'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest'
import { type Stage, it } from '../processes/harness.ts'
import type { Station } from '../processes/harness/station.ts'
import { until } from '../processes/harness/until.ts'
import { type Fault, FaultyRelay } from './faulty-relay.ts'
import { type Judge, openJudge } from './judge.ts'

/**
 * Three replicas, which all want more than there is, on one Redis that fails in every way, and PostgreSQL as the judge: its limit for the role is
 * what the workers and the supervisors may have together, so one connection too many is refused, logged, and fails the test.
 */

const entry = fileURLToPath(new URL('fixtures/uses-database.mjs', import.meta.url))
const BUDGET = 40
const RESERVE = 6
const WORKERS = BUDGET - RESERVE
/** What each replica is sure of: its smallest fleet of one, and a successor. */
const FLOOR = 4
/** Longer than a lease with its margin, and what a machine under load adds. */
const BOUND_MS = 40_000

let judge: Judge
let redis: Service
let relay: FaultyRelay
let services = 0

beforeAll(async () => {
  judge = await openJudge()
})

beforeEach(async () => {
  delete process.env['REDIS_URL']
  redis = await startRedis()
  relay = await new FaultyRelay(portOf(redis)).open()
  await until('an empty server', async () => (await judge.count()) === 0)
  return async () => {
    await judge.stopWatching()
    await relay.close()
    await redis.stop()
  }
})

afterAll(async () => {
  await judge?.close()
})

const portOf = ({ url }: Service): number => Number(new URL(url).port)

/** As a deployment of its own, whose replicas are all of one service. */
async function deploy(stage: Stage, count: number, replicas = 3): Promise<Station[]> {
  const config = { database: { budget: BUDGET, reserve: RESERVE, minPerWorker: 2, replicas }, workers: { min: 1, max: 2 } }
  const env = {
    DATABASE_URL: judge.url,
    REDIS_URL: `redis://127.0.0.1:${relay.port}`,
    RAILWAY_SERVICE_ID: `service-${services}`,
    LOOPS: '8',
    STEADY_LOOPS: '32',
  }
  const fleets: Station[] = []
  for (let replica = 0; replica < count; replica++) fleets.push(await stage.start({ entry, config, env }, 1))
  return fleets
}

/** The judge allows the workers' part, and one connection to each supervisor. */
async function threeReplicas(stage: Stage, replicas = 3): Promise<Station[]> {
  services++
  await judge.limit(WORKERS + replicas)
  judge.watch()
  const fleets = await deploy(stage, 3, replicas)
  await meet(fleets)
  await fullyUsed(fleets, replicas)
  return fleets
}

async function meet(fleets: readonly Station[]): Promise<void> {
  const haveMet = ({ replica }: { replica: { peers: number; coordination: string } }): boolean =>
    replica.coordination === 'redis' && replica.peers === fleets.length
  for (const fleet of fleets) await fleet.until(`${fleets.length} replicas`, haveMet, BOUND_MS)
}

/** Nine tenths of what can be lent, with room for the floors of those that may come. */
async function fullyUsed(fleets: readonly Station[], replicas = 3): Promise<void> {
  const most = WORKERS - FLOOR * (replicas - fleets.length)
  await until('nine tenths of the connections in use', () => judge.now - fleets.length >= 0.9 * most, {
    boundMs: BOUND_MS,
    instead: () => `${judge.now} of ${most}`,
  })
}

/** What the server itself has to say: how many there ever were, and whom it refused. */
function expectKept(replicas = 3): void {
  expect(judge.looks).toBeGreaterThan(20)
  expect(judge.most).toBeLessThanOrEqual(WORKERS + replicas)
  expect(judge.logged('too many connections')).toEqual([])
  expect(judge.logged('53300')).toEqual([])
}

/** Nobody is left without what it is sure of. */
async function expectFloors(fleets: readonly Station[]): Promise<void> {
  for (const fleet of fleets) expect((await fleet.status())?.database?.granted).toBeGreaterThanOrEqual(FLOOR)
}

async function inRedis<Value>(act: (client: Redis) => Promise<Value>): Promise<Value> {
  const client = new Redis(redis.url, { retryStrategy: () => null })
  try {
    return await act(client)
  } finally {
    client.disconnect()
  }
}

const key = (): string => `stationmaster:service-${services}`
const lost = async (fleets: readonly Station[]): Promise<void> => {
  for (const fleet of fleets) await fleet.until('Redis lost', ({ replica }) => replica.coordination === 'redis-lost', BOUND_MS)
}

describe('three replicas share a budget and never exceed it', () => {
  it('while Redis stalls, loses replies, is slow, is cut off, forgets, and comes back with an old copy or empty', async ({ stage }) => {
    const fleets = await threeReplicas(stage)
    const faults: Fault[] = ['stall', 'lose-replies', 'cut']
    for (const fault of faults) {
      relay.fail(fault)
      await lost(fleets)
      expect(relay.hits).toBeGreaterThan(0)
      await expectFloors(fleets)
      relay.fail('none')
      await meet(fleets)
    }
    relay.fail('delay')
    await until('calls that were delayed', () => relay.hits > 20)
    relay.fail('none')
    await meet(fleets)
    const old = await inRedis(async (client) => await client.get(key()))
    expect(old).toContain('"members"')
    for (let flush = 0; flush < 5; flush++) {
      await inRedis(async (client) => await client.flushall())
      await until('a document anew', async () => (await inRedis(async (client) => await client.get(key()))) !== null)
    }
    await fullyUsed(fleets)
    const before = await inRedis(async (client) => await client.get(key()))
    await inRedis(async (client) => await client.set(key(), old as string))
    await until('the old copy found out', async () => {
      const now = await inRedis(async (client) => await client.get(key()))
      return epochOf(now) !== epochOf(old) && epochOf(now) !== epochOf(before)
    })
    const empty = await startRedis()
    relay.leadTo(portOf(empty))
    await redis.stop()
    redis = empty
    await meet(fleets)
    await fullyUsed(fleets)
    expectKept()
  }, 180_000)

  it('when one is frozen for three leases and thawed, one is killed, and one comes in its place', async ({ stage }) => {
    const [frozen, killed, other] = (await threeReplicas(stage)) as [Station, Station, Station]
    // A platform that freezes a container stops all that is in it.
    const inContainer = (await frozen.running(1)).map(({ pid }) => pid as number)
    const all = (signal: NodeJS.Signals): void => {
      for (const pid of [frozen.pid, ...inContainer]) process.kill(pid, signal)
    }
    all('SIGSTOP')
    for (const fleet of [killed, other]) await fleet.until('two left', ({ replica }) => replica.peers === 2, BOUND_MS)
    const sequence = async (): Promise<number> => versionOf(await inRedis(async (client) => await client.get(key())))
    const from = await sequence()
    // Three leases, by the beats of those who live.
    await until('three leases', async () => (await sequence()) - from >= 2 * 18, { boundMs: BOUND_MS * 2 })
    all('SIGCONT')
    await meet([frozen, killed, other])
    killed.signal('SIGKILL')
    const [successor] = (await deploy(stage, 1)) as [Station]
    await meet([frozen, other, successor])
    await fullyUsed([frozen, other, successor])
    for (const fleet of [frozen, other, successor]) await fleet.until('an empty quarantine', ({ database }) => database?.quarantined === 0)
    expectKept()
  }, 180_000)

  it('while a new deployment starts beside the old one, which then leaves', async ({ stage }) => {
    const before = await threeReplicas(stage, 6)
    const after = await deploy(stage, 3, 6)
    await meet([...before, ...after])
    await fullyUsed([...before, ...after], 6)
    await expectFloors([...before, ...after])
    for (const fleet of before) fleet.signal('SIGTERM')
    for (const fleet of before) expect(await fleet.ends()).toMatchObject({ code: 0 })
    await meet(after)
    await fullyUsed(after, 6)
    expectKept(6)
  }, 180_000)

  it('when there are more of them than they were told of, which is said, and each comes to its floor', async ({ stage }) => {
    services++
    await judge.limit(WORKERS + 2)
    judge.watch()
    const fleets = await deploy(stage, 2, 1)
    await meet(fleets)
    const warned = (): boolean => fleets.some(({ stdout }) => stdout.includes('2 replicas share the database budget, and database.replicas says 1'))
    await until('the warning', warned)
    for (const fleet of fleets) await fleet.until('its floor', ({ database }) => (database?.granted ?? 0) >= FLOOR, BOUND_MS)
    expectKept(2)
  }, 180_000)
})

const epochOf = (text: string | null): unknown => JSON.parse(text ?? '{}').epoch
const versionOf = (text: string | null): number => JSON.parse(text ?? '{}').version
