import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import type { StationOptions } from '../processes/harness/station.ts'
import { until } from '../processes/harness/until.ts'
import type { Judge } from './judge.ts'

/** A fleet that always wants more connections than there are, and what has to hold all the time. */

export const entry: string = fileURLToPath(new URL('fixtures/uses-database.mjs', import.meta.url))

/** Twenty connections: one is left to people, one to the supervisor, eighteen are for workers. */
export const database = { budget: 20, reserve: 2, minPerWorker: 2 }
const WORKERS = 18
/** Workers, and the supervisor's own. */
export const MOST: number = WORKERS + 1

/** Callers in each worker: far more than there are connections, so that what is just being closed or opened leaves the rest in use. */
export const LOOPS = '30'

export const busy = (judge: Judge, more: object = {}): StationOptions => ({
  entry,
  config: { database, workers: { max: 6 }, ...more },
  env: { DATABASE_URL: judge.url, LOOPS },
})

export async function nineTenthsInUse(judge: Judge, of = WORKERS): Promise<void> {
  await until('nine tenths of the connections in use', () => judge.now - 1 >= 0.9 * of, {
    boundMs: 30_000,
    instead: () => `${judge.now} after ${judge.looks} looks`,
  })
}

/** What the server itself has to say: how many there ever were, and whom it refused. */
export function expectBudgetKept(judge: Judge, most = MOST): void {
  expect(judge.looks).toBeGreaterThan(20)
  expect(judge.most).toBeLessThanOrEqual(most)
  expect(judge.logged('53300')).toEqual([])
}
