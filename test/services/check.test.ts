import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Options } from '../../packages/supervisor/src/config/options.ts'
import { resolveOptions } from '../../packages/supervisor/src/config/resolve.ts'
import type { Settings } from '../../packages/supervisor/src/config/settings.ts'
import { type DatabaseFacts, checkDatabase, judgeDatabase } from '../../packages/supervisor/src/operator/checks/database.ts'
import { type Judge, openJudge } from './judge.ts'

const capacity = { cpus: 2, memoryBytes: 8e9, source: 'host' } as const
/** This file stands for the app: from here `pg` is found. */
const entry = path.join(import.meta.dirname, 'check.test.ts')

function settingsOf(database: Options['database'], workers: Options['workers'] = {}): Settings {
  return resolveOptions({ entry, workers, ...(database ? { database } : {}) }, { baseFolder: '/', environment: {}, capacity, isTerminal: false })
}

const FACTS: DatabaseFacts = { role: 'app', maxConnections: 100, reservedConnections: 3, roleLimit: 50, checkIntervalMs: 500, isPooled: false }
const judged = (facts: Partial<DatabaseFacts>, database: Options['database'], workers?: Options['workers']): string[] =>
  judgeDatabase({ ...FACTS, ...facts }, settingsOf(database, workers)).map(({ level, message }) => `${level}: ${message}`)

test('has nothing to say where the database keeps the budget itself', () => {
  expect(judged({}, { budget: 50 })).toEqual([])
})

test('says what to set, with the SQL', () => {
  expect(judged({ roleLimit: -1, checkIntervalMs: 0, role: 'my "app"' }, { budget: 50 })).toEqual([
    'warning: Let the database itself keep the role my "app" within database.budget: ALTER ROLE "my ""app""" CONNECTION LIMIT 50;',
    `warning: A query of a worker that died runs to its end, and its connection is missed until then: ALTER ROLE "my ""app""" SET client_connection_check_interval = '500ms'; (PostgreSQL 14, superuser)`,
  ])
  expect(judged({ roleLimit: 20 }, { budget: 50 })).toEqual([
    'error: database.budget is 50, but the role app may have 20 connections: lower it, or ALTER ROLE "app" CONNECTION LIMIT 50;',
  ])
  expect(judged({ roleLimit: 120 }, { budget: 120 })).toEqual([
    'error: database.budget is 120, but the database takes 97 (max_connections 100, 3 reserved): lower it, or ALTER SYSTEM SET max_connections = 123; (needs a restart)',
  ])
})

test('tells of shares, of floors that do not fit, of a pooler, and of a fleet without a budget that is too large', () => {
  expect(judged({}, { budget: 50, replicas: 2 })).toEqual([
    'warning: Each of 2 replicas takes 23 of the 50 connections of database.budget, whatever it needs: they do not know of each other. Set redis.url.',
  ])
  expect(judged({ roleLimit: 7 }, { budget: 7 }, { min: 2 })).toEqual([
    'warning: database.minPerWorker: 4 connections do not give workers.min 2 and a successor in a reload 2 each; each gets 1. Raise database.budget.',
  ])
  expect(judged({ isPooled: true, roleLimit: 1 }, { budget: 50 })[0]).toContain('PgBouncer')
  expect(judged({ isPooled: true }, {})).toEqual([])
  expect(judged({ maxConnections: 20 }, {}, { max: 2 })).toEqual([
    'warning: workers.max 2 × 10 connections (the usual size of a pool) is more than the 17 that the database takes (max_connections 20, 3 reserved): set database.budget and use createPool.',
  ])
})

let judge: Judge

beforeAll(async () => {
  judge = await openJudge()
})

afterAll(async () => {
  await judge?.close()
})

test('reads it from the server, and the SQL it gives puts an end to what it says', async () => {
  const settings = settingsOf({ budget: 40, url: judge.url })
  const found = await checkDatabase(settings)
  const statements = found.map(({ message }) => /ALTER [^;]*;/.exec(message)?.[0])
  expect(statements).toEqual(['ALTER ROLE "app" CONNECTION LIMIT 40;', `ALTER ROLE "app" SET client_connection_check_interval = '500ms';`])
  for (const statement of statements) await judge.query(statement as string)
  expect(await checkDatabase(settings)).toEqual([])
})

test('tells of a refusal without the password, and leaves a server that is away to the check of its address', async () => {
  const url = new URL(judge.url)
  url.password = 'hunter2'
  const [refused] = await checkDatabase(settingsOf({ budget: 40, url: url.href }))
  expect(refused).toEqual({ level: 'error', message: 'database.url: the database refuses (password authentication failed for user "app").' })
  expect(await checkDatabase(settingsOf({ budget: 40, url: 'postgres://app@127.0.0.1:9/none' }))).toEqual([])
})

test('says that nobody can be asked where it does not know the server', async () => {
  expect((await checkDatabase(settingsOf({ budget: 40 })))[0]?.message).toContain('nobody can ask the database')
  expect(await checkDatabase(settingsOf({}))).toEqual([])
})
