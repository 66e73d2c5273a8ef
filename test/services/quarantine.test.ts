import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest'
import { it } from '../processes/harness.ts'
import { until } from '../processes/harness/until.ts'
import { expectBudgetKept } from './busy.ts'
import { type Judge, openJudge } from './judge.ts'
import { type Relay, openRelay } from './relay.ts'

const entry = fileURLToPath(new URL('fixtures/uses-database.mjs', import.meta.url))
let judge: Judge
/** The way of the supervisor alone. */
let relay: Relay

beforeAll(async () => {
  judge = await openJudge()
  relay = await openRelay(Number(new URL(judge.url).port))
})

beforeEach(async () => {
  await until('an empty server', async () => (await judge.count()) === 0)
  return async () => await judge.stopWatching()
})

afterAll(async () => {
  await relay?.close()
  await judge?.close()
})

/** Twelve connections: one is left to people, one to the supervisor, ten are for workers. */
const database = { budget: 12, reserve: 2, minPerWorker: 2 }
/** Of the workers, and of the supervisor. */
const MOST = 10 + 1

function options() {
  const url = new URL(judge.url)
  url.port = String(relay.port)
  return { entry, config: { database: { ...database, url: url.href } }, env: { DATABASE_URL: judge.url, LOOPS: '0' } }
}

const WARNED = 'The database could not be asked whose connections it has'

describe('while the database cannot be asked', () => {
  it('what a dead worker held stays reserved where no setting of the server bounds it, until it can', async ({ stage }) => {
    await judge.limit(MOST)
    judge.watch()
    const fleet = await stage.start(options(), 2)
    const [victim] = await fleet.running(2)
    await watching()
    await relay.shut()
    process.kill(victim?.pid as number, 'SIGKILL')
    await until('the warning', () => fleet.stdout.includes(WARNED))
    await fleet.running(2)
    expect((await fleet.status())?.database?.quarantined).toBeGreaterThan(0)
    await relay.open()
    await fleet.until('an empty quarantine', ({ database: seen }) => seen?.quarantined === 0)
    expect(fleet.stdout).not.toContain('by its own settings none can be')
    expectBudgetKept(judge, MOST)
  }, 60_000)

  it('it is released once the settings that were read from the server leave none, and not before', async ({ stage }) => {
    await judge.limit(MOST)
    judge.watch()
    const settings = { client_connection_check_interval: '100', tcp_keepalives_idle: '1', tcp_keepalives_interval: '1', tcp_keepalives_count: '1' }
    for (const [name, value] of Object.entries({ ...settings, tcp_user_timeout: '1000' })) await judge.query(`alter role app set ${name} = ${value}`)
    const fleet = await stage.start(options(), 2)
    await watching()
    const asleep = Promise.all(Array.from({ length: 4 }, () => fleet.get('/?for=600').catch(() => 'cut')))
    await until('four queries', async () => (await sleeping()) === 4)
    await relay.shut()
    for (const { pid } of await fleet.running(2)) process.kill(pid as number, 'SIGKILL')
    const warning = await fleet.noted('fleet:warning', ({ msg }) => msg.includes('by its own settings none can be'))
    expect(warning.msg).toMatch(/^The database could not be asked for 3\.1 s which of \d connections of worker \d/)
    await fleet.until('an empty quarantine', ({ database: seen }) => seen?.quarantined === 0)
    expect(await sleeping()).toBe(0)
    await asleep
    await relay.open()
    expectBudgetKept(judge, MOST)
  }, 60_000)
})

it('connections of others beyond those that are kept free for them leave fewer to the workers', async ({ stage }) => {
  await judge.limit(20)
  judge.watch()
  const fleet = await stage.start({ ...options(), env: { DATABASE_URL: judge.url } }, 2)
  await until('nine tenths of the connections in use', () => judge.now - 1 >= 9)
  const others = Array.from({ length: 4 }, () => new pg.Client({ connectionString: judge.url, application_name: 'migration' }))
  for (const other of others) await other.connect()
  await fleet.until('fewer granted', ({ database: seen }) => seen?.foreign === 4 && seen.acknowledged === 7)
  await until('the budget kept', async () => (await judge.count()) <= 12)
  await judge.limit(12)
  judge.most = 0
  expect(await fleet.noted('fleet:warning')).toMatchObject({
    msg: "4 connections of the app's database role are neither of workers nor of another fleet, 3 more than database.reserve keeps free: the workers get 3 fewer until they are gone.",
  })
  for (const other of others) await other.end()
  await fleet.until('everything granted', ({ database: seen }) => seen?.foreign === 0 && seen.granted === 10)
  await until('nine tenths of the connections in use', () => judge.now - 1 >= 9)
  expectBudgetKept(judge, 12)
}, 60_000)

async function sleeping(): Promise<number> {
  const { rows } = await judge.query(
    "select count(*)::int as count from pg_stat_activity where query like 'select pg_sleep%' and state = 'active' and usename = 'app'",
  )
  return rows[0].count
}

/** The supervisor is connected, and has read what the server is set to. */
async function watching(): Promise<void> {
  const look = "select pid from pg_stat_activity where application_name like '% watch' and query like '%starts_with%'"
  await until('the supervisor looking', async () => (await judge.query(look)).rows.length === 1)
}
