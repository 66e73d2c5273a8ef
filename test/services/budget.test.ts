import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest'
import { it } from '../processes/harness.ts'
import { until } from '../processes/harness/until.ts'
import { type Judge, openJudge } from './judge.ts'

const entry = fileURLToPath(new URL('fixtures/uses-database.mjs', import.meta.url))
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

/** Twelve connections: one is left to people, one to the supervisor, ten are for workers. */
const database = { budget: 12, reserve: 2, minPerWorker: 2 }

const options = (more: object = {}) => ({ entry, config: { database, ...more }, env: { DATABASE_URL: judge.url } })

/** Workers, and the supervisor's own. */
const MOST = 11

describe('a budget of connections', () => {
  it('is used up and never exceeded, whatever happens to workers', async ({ stage }) => {
    await judge.limit(MOST)
    judge.watch()
    const fleet = await stage.start(options(), 2)
    await until('nine tenths of the connections in use', () => judge.now >= 9)
    for (let kill = 0; kill < 2; kill++) {
      const victim = (await fleet.running(2))[0]?.pid as number
      await fleet.get('/sleep').catch(() => {})
      process.kill(victim, 'SIGKILL')
      await fleet.until('another worker', ({ workers, fleet: { ready } }) => ready === 2 && workers.every(({ pid }) => pid !== victim))
    }
    await fleet.control.reload()
    await fleet.control.scale(4)
    await fleet.running(4)
    await until('nine tenths of the connections in use', () => judge.now >= 9)
    await fleet.control.scale(2)
    await fleet.running(2)
    await fleet.until('an empty quarantine', ({ database }) => database?.quarantined === 0)
    await until('nine tenths of the connections in use', () => judge.now >= 9)
    fleet.signal('SIGTERM')
    expect(await fleet.ends()).toMatchObject({ code: 0 })
    expect(fleet.stdout + fleet.stderr).not.toContain('53300')
    expect(judge.most).toBeLessThanOrEqual(MOST)
    expect(judge.looks).toBeGreaterThan(20)
    await until('an empty server', async () => (await judge.count()) === 0)
  }, 60_000)
})
