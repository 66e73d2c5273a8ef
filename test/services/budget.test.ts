import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest'
import { it } from '../processes/harness.ts'
import { until } from '../processes/harness/until.ts'
import { busy, database, entry, expectBudgetKept, LOOPS, MOST, nineTenthsInUse } from './busy.ts'
import { type Judge, LOOK_MS, openJudge } from './judge.ts'
import { openRelay } from './relay.ts'

let judge: Judge

beforeAll(async () => {
  judge = await openJudge()
})

beforeEach(async () => {
  await until('an empty server', async () => (await judge.count()) === 0)
  return async () => await judge.stopWatching()
})

afterAll(async () => {
  await judge?.close()
})

/** A busy machine holds up the judge as well, so time is told by how often it has looked. */
const LOOKS_A_SECOND = 1000 / LOOK_MS

const options = (more?: object) => busy(judge, more)
const nearlyAllInUse = (of?: number): Promise<void> => nineTenthsInUse(judge, of)
const expectKept = (most?: number): void => expectBudgetKept(judge, most)

describe('a budget of connections', () => {
  it('is used up and never exceeded through kills, a reload and scale 2 → 6 → 2', async ({ stage }) => {
    await judge.limit(MOST)
    judge.watch()
    const fleet = await stage.start(options(), 2)
    await nearlyAllInUse()
    for (let kill = 0; kill < 2; kill++) {
      const victim = (await fleet.running(2))[0]?.pid as number
      await fleet.get('/?for=0.5').catch(() => {})
      process.kill(victim, 'SIGKILL')
      await fleet.until('another worker', ({ workers, fleet: { ready } }) => ready === 2 && workers.every(({ pid }) => pid !== victim))
    }
    await fleet.control.reload()
    await fleet.control.scale(6)
    await fleet.running(6)
    await nearlyAllInUse()
    expect((await fleet.status())?.workers.every(({ database: lease }) => (lease?.acknowledged ?? 0) >= 2)).toBe(true)
    process.kill((await fleet.running(6))[0]?.pid as number, 'SIGKILL')
    await fleet.control.scale(2)
    await fleet.running(2)
    await fleet.until('an empty quarantine', ({ database: seen }) => seen?.quarantined === 0)
    await nearlyAllInUse()
    fleet.signal('SIGTERM')
    expect(await fleet.ends()).toMatchObject({ code: 0 })
    expectKept()
    await until('an empty server', async () => (await judge.count()) === 0)
  }, 120_000)

  it('can be changed while it is used up: nobody is cut, and it is kept as soon as it is confirmed', async ({ stage }) => {
    await judge.limit(MOST)
    judge.watch()
    const fleet = await stage.start(options(), 2)
    await nearlyAllInUse()
    await fleet.control.setBudget(10)
    await fleet.until('the rest given back', ({ database: seen }) => seen?.budget === 10 && seen.acknowledged <= 8 && seen.granted <= 8)
    await until('what was given back closed', async () => (await judge.count()) <= 9)
    await judge.limit(9)
    expectKept()
    judge.most = 0
    await fleet.control.reload()
    await nearlyAllInUse(8)
    expectKept(9)
    await judge.limit(MOST)
    await fleet.control.setBudget(20)
    await nearlyAllInUse()
    expectKept()
  }, 90_000)

  it('keeps what a dead worker still runs in quarantine, and the others within the rest', async ({ stage }) => {
    await judge.limit(MOST)
    judge.watch()
    const fleet = await stage.start({ ...options(), env: { DATABASE_URL: judge.url, LOOPS: '0' } }, 2)
    const sleeps = Array.from({ length: 3 }, () => fleet.get('/?for=4').catch(() => 'cut'))
    await until('three queries', async () => (await sleeping()) === 3)
    const { pid, id } = await fleet.until('their worker', ({ workers }) => workers.find(({ database }) => (database?.inUse ?? 0) > 0))
    const others = await judge.query(
      "select application_name from pg_stat_activity where query like '%pg_sleep(4)%' and state = 'active' and usename = 'app'",
    )
    const ofVictim = others.rows.filter(({ application_name: name }) => name.includes(` worker ${id} `)).length
    process.kill(pid as number, 'SIGKILL')
    await fleet.until('its queries in quarantine', ({ database: seen }) => seen?.quarantined === ofVictim && ofVictim > 0)
    await fleet.until('an empty quarantine', async ({ database: seen }) => seen?.quarantined === 0 && (await sleeping()) === 0)
    await Promise.all(sleeps)
    expectKept()
  }, 90_000)

  it('is kept while a worker is stopped by SIGSTOP, which can give nothing back', async ({ stage }) => {
    await judge.limit(MOST)
    judge.watch()
    const fleet = await stage.start(options({ health: { stuckAfter: '1s' } }), 2)
    await nearlyAllInUse()
    const [victim] = await fleet.running(2)
    process.kill(victim?.pid as number, 'SIGSTOP')
    await fleet.until('another worker', ({ workers, fleet: { ready } }) => ready === 2 && workers.every(({ id }) => id !== victim?.id))
    await fleet.until('an empty quarantine', ({ database: seen }) => seen?.quarantined === 0)
    await nearlyAllInUse()
    expectKept()
  }, 90_000)

  it('ends what dead workers still run, if it may', async ({ stage }) => {
    await judge.limit(MOST)
    judge.watch()
    const config = { database: { ...database, terminateOrphans: true } }
    const fleet = await stage.start({ entry, config, env: { DATABASE_URL: judge.url, LOOPS: '0' } }, 1 + 1)
    const sleeps = Array.from({ length: 3 }, () => fleet.get('/?for=600').catch(() => 'cut'))
    await until('three queries', async () => (await sleeping()) === 3)
    for (const { pid } of await fleet.running(2)) process.kill(pid as number, 'SIGKILL')
    await until('no query', async () => (await sleeping()) === 0)
    await fleet.until('an empty quarantine', ({ database: seen }) => seen?.quarantined === 0)
    await Promise.all(sleeps)
    expectKept()
  }, 90_000)

  it('finds a server that crashed and came back: no worker is restarted, no storm meets it, and nobody is in the way', async ({ stage }) => {
    await judge.limit(MOST)
    judge.watch()
    const fleet = await stage.start(options({ workers: { min: 4, max: 6 } }), 4)
    const pids = (await fleet.running(4)).map(({ pid }) => pid)
    await nearlyAllInUse()
    // When one backend dies PostgreSQL ends them all, refuses everybody while it recovers, and begins anew.
    const { rows } = await judge.query("select pid from pg_stat_activity where usename = 'app' limit 1")
    process.kill(rows[0].pid, 'SIGKILL')
    await until('complaints', () => /failed (57P0|ECONN| Connection term)/.test(fleet.stdout))
    await until('a server', async () => await judge.query('select 1').catch(() => null))
    await nearlyAllInUse()
    expect((await fleet.running(4)).map(({ pid }) => pid)).toEqual(pids)
    expectKept()
    // A hundred and twenty callers who ask again every 20 ms: whoever does not wait for the others' experience is refused hundreds of times.
    const refused = judge.logged('57P03').length
    expect(refused).toBeLessThan(MOST + 40)
  }, 90_000)

  it('finds a server that was away: one worker tries for all, and none is restarted', async ({ stage }) => {
    const relay = await openRelay(Number(new URL(judge.url).port))
    const url = new URL(judge.url)
    url.port = String(relay.port)
    const fleet = await stage.start({ ...options({ workers: { min: 4, max: 6 } }), env: { DATABASE_URL: url.href, LOOPS } }, 4)
    const pids = (await fleet.running(4)).map(({ pid }) => pid)
    judge.watch()
    await nearlyAllInUse()
    await relay.shut()
    // Everybody is told, and what they are told is the reason.
    await until('refusals', () => (fleet.stdout.match(/failed ECONNREFUSED/g)?.length ?? 0) > 40)
    // A cut on the way does not end what the server runs.
    await until('the last of them closed', () => judge.now <= 1)
    // Until the pauses between two attempts are as long as they get.
    const shutAt = judge.looks
    await until('three seconds', () => judge.looks - shutAt >= 3 * LOOKS_A_SECOND)
    await relay.open()
    const { looks } = judge
    await until('somebody back', () => judge.now > 1)
    expect(judge.looks - looks).toBeLessThanOrEqual(2 * LOOKS_A_SECOND)
    await nearlyAllInUse()
    expect((await fleet.running(4)).map(({ pid }) => pid)).toEqual(pids)
    expectKept()
    fleet.signal('SIGTERM')
    await fleet.ends()
    await relay.close()
  }, 90_000)
})

/** Queries that sleep, whoever asked for them. */
async function sleeping(): Promise<number> {
  const { rows } = await judge.query(
    "select count(*)::int as count from pg_stat_activity where query like 'select pg_sleep%' and state = 'active' and usename = 'app'",
  )
  return rows[0].count
}
