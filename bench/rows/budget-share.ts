import { setTimeout as pause } from 'node:timers/promises'
import { startStationmaster } from '../harness/contestants.ts'
import { type Database, linesTo, startDatabase } from '../harness/database.ts'
import type { Outcome, Row, Settings } from '../harness/row.ts'
import { sum } from '../harness/statistics.ts'
import { until } from '../harness/wait.ts'

const MUST_SHARE = 0.9
const AVAILABLE = 20
const MOST_WORKERS = 10
const LOOPS = 60
const QUERY_MS = 100
const LOOK_MS = 20
const LIMIT_MS = 10_000

export const budgetShare: Row = {
  name: 'budget-share',
  title: `Share of ${AVAILABLE} connections at work at full demand, 1 and 2 workers of at most ${MOST_WORKERS}`,
  must: `≥ ${MUST_SHARE}`,
  run,
}

async function run({ quick }: Settings): Promise<Outcome> {
  const ms = quick ? 1000 : 5000
  const leased = [await shareOf(1, ms, {}), await shareOf(2, ms, {})]
  const plain = { PLAIN_SIZE: String(Math.floor(AVAILABLE / MOST_WORKERS)) }
  const split = [await shareOf(1, ms, plain), await shareOf(2, ms, plain)]
  const least = Math.min(...leased.map(({ share }) => share))
  return {
    measured: leased.map(({ share }) => share.toFixed(2)).join(', '),
    spread: `most connections ever: ${leased.map(({ most }) => most).join(', ')} of ${AVAILABLE + 1}`,
    reached: least >= MUST_SHARE && leased.every(({ most }) => most <= AVAILABLE + 1),
    comparison: `floor(${AVAILABLE} / ${MOST_WORKERS}) each: ${split.map(({ share }) => share.toFixed(2)).join(', ')}`,
    details: { leased, split },
  }
}

interface Share {
  readonly share: number
  readonly most: number
}

async function shareOf(workers: number, ms: number, env: Readonly<Record<string, string>>): Promise<Share> {
  const database = await startDatabase(AVAILABLE + 1)
  const config = env['PLAIN_SIZE'] ? {} : { database: { budget: AVAILABLE + 1, reserve: 1, minPerWorker: 1 } }
  const size = { min: workers, max: MOST_WORKERS, spares: 0, oversubscribe: true }
  const server = await startStationmaster('database', size, { config, env: { DATABASE_URL: database.url, ...env } })
  const lines = await linesTo(server.port, workers)
  for (const line of lines) await line.ask(`/hunger?loops=${LOOPS}&ms=${QUERY_MS}`)
  const expected = env['PLAIN_SIZE'] ? Number(env['PLAIN_SIZE']) * workers : AVAILABLE
  await until('full demand', LIMIT_MS, async () => ((await look(database)).active >= 0.9 * expected ? true : null))
  const looks: Look[] = []
  for (const endMs = performance.now() + ms; performance.now() < endMs; await pause(LOOK_MS)) looks.push(await look(database))
  for (const line of lines) line.hangUp()
  await server.stop()
  await database.stop()
  const share = sum(looks.map(({ active }) => active)) / looks.length / AVAILABLE
  return { share, most: Math.max(...looks.map(({ all }) => all)) }
}

interface Look {
  readonly active: number
  readonly all: number
}

async function look(database: Database): Promise<Look> {
  const text = `select count(*)::int as all, count(*) filter (where query like 'select pg_sleep%' and state = 'active')::int as active
    from pg_stat_activity where usename = 'app'`
  return (await database.query(text)).rows[0] as Look
}
