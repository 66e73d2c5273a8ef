import { afterAll, beforeAll, expect } from 'vitest'
import { resolveOptions } from '../../packages/supervisor/src/config/resolve.ts'
import { checkDatabase } from '../../packages/supervisor/src/operator/checks/database.ts'
import { it } from '../processes/harness.ts'
import { until } from '../processes/harness/until.ts'
import { database, entry } from './busy.ts'
import { type Judge, openJudge } from './judge.ts'
import { openPooler } from './pooler.ts'
import type { Relay } from './relay.ts'

let judge: Judge
let pooler: Relay
let url: string

beforeAll(async () => {
  judge = await openJudge()
  pooler = await openPooler(Number(new URL(judge.url).port))
  const way = new URL(judge.url)
  way.port = String(pooler.port)
  url = way.href
})

afterAll(async () => {
  await pooler?.close()
  await judge?.close()
})

it('check tells of a pooler before the database, and of nothing that it cannot know then', async () => {
  const capacity = { cpus: 2, memoryBytes: 8e9, source: 'host' } as const
  const settings = resolveOptions({ entry, database: { ...database, url } }, { baseFolder: '/', environment: {}, capacity, isTerminal: false })
  const found = await checkDatabase(settings)
  expect(found).toEqual([{ level: 'warning', message: expect.stringMatching(/^A pooler such as PgBouncer stands before the database: /) }])
})

it('behind a pooler what a dead worker held is free again, though its backend still works: that is the business of the pooler', async ({ stage }) => {
  const fleet = await stage.start({ entry, config: { database }, env: { DATABASE_URL: url, LOOPS: '0' } }, 2)
  const asleep = fleet.get('/?for=600').catch(() => 'cut')
  await until('the query', async () => (await sleeping()).length === 1)
  const { pid, id } = await fleet.until('its worker', ({ workers }) => workers.find(({ database: lease }) => (lease?.inUse ?? 0) > 0))
  process.kill(pid as number, 'SIGKILL')
  await fleet.until('another worker', ({ workers, fleet: { ready } }) => ready === 2 && workers.every((worker) => worker.id !== id))
  await fleet.until('an empty quarantine', ({ database: seen }) => seen?.quarantined === 0)
  expect(await asleep).toBe('cut')
  const [backend] = await sleeping()
  expect(backend).toBeDefined()
  await judge.query('select pg_terminate_backend($1)', [backend])
}, 60_000)

/** The backends that sleep, whoever asked them to. */
async function sleeping(): Promise<number[]> {
  const { rows } = await judge.query("select pid from pg_stat_activity where query like 'select pg_sleep%' and state = 'active' and usename = 'app'")
  return rows.map(({ pid }) => pid)
}
