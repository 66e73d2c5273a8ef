import { afterAll, beforeAll, expect } from 'vitest'
import { it } from '../processes/harness.ts'
import { until } from '../processes/harness/until.ts'
import { busy, MOST, nineTenthsInUse } from './busy.ts'
import { type Judge, openJudge } from './judge.ts'

/** Here the server refuses, and says so in its log: a judge of its own. */
let judge: Judge
beforeAll(async () => {
  judge = await openJudge()
})
afterAll(async () => {
  await judge?.close()
})

/** A worker for each caller that is told, and the supervisor, would be so many attempts; whoever asks again every 20 ms makes hundreds. */
const NO_STORM = MOST + 40
/** The role may have fewer connections than there are workers. */
const FEW = 3

it('a server that ends all connections and has room for few is not stormed, no worker is restarted, and all is used again when there is room', async ({
  stage,
}) => {
  await judge.limit(MOST)
  judge.watch()
  const fleet = await stage.start(busy(judge, { workers: { min: 4, max: 6 } }), 4)
  const pids = (await fleet.running(4)).map(({ pid }) => pid)
  await nineTenthsInUse(judge)
  await judge.limit(FEW)
  await judge.query("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'")
  const told = (code: string): number => fleet.stdout.split(`failed ${code} `).length - 1
  await until('callers told that there are too many', () => told('53300') > 100)
  expect(told('57P01')).toBeGreaterThan(0)
  expect((await fleet.running(4)).map(({ pid }) => pid)).toEqual(pids)
  const refused = judge.logged('53300').length
  expect(refused).toBeGreaterThan(0)
  expect(refused).toBeLessThan(NO_STORM)
  await judge.limit(MOST)
  await nineTenthsInUse(judge)
  expect((await fleet.running(4)).map(({ pid }) => pid)).toEqual(pids)
  await judge.stopWatching()
  expect(judge.most).toBeLessThanOrEqual(MOST)
}, 90_000)
