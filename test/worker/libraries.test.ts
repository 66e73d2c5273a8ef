import pg from 'pg'
import { afterAll, beforeAll, expect } from 'vitest'
import type { Service } from 'example-app/services'
import { startPostgres } from 'example-app/services'
import { until } from '../processes/harness/until.ts'
import { get, it, start } from './harness.ts'
import type { MiniPrimary, MiniWorker } from './mini-primary.ts'

let database: Service
let admin: pg.Client

beforeAll(async () => {
  // Not a server that is there already: roles are made in this one.
  delete process.env['DATABASE_URL']
  database = await startPostgres()
  admin = new pg.Client({ connectionString: database.url })
  await admin.connect()
  await admin.query(`create role app login password 'app' connection limit ${GRANTED}`)
  await admin.query('grant create on schema public to app')
})

afterAll(async () => {
  await admin?.end()
  await database?.stop()
})

const GRANTED = 3
const NAME = 'stationmaster abcdef01 worker 3 slot 1 generation 2'

async function leased(primary: MiniPrimary): Promise<MiniWorker> {
  const url = new URL(database.url)
  url.username = url.password = 'app'
  const worker = await start(primary, 'libraries.mjs', { DATABASE_URL: url.href, STATIONMASTER_CONNECTION_NAME: NAME })
  worker.send({ kind: 'lease', untilMs: null, sequence: 1, granted: GRANTED })
  await worker.seen('leaseUse')
  return worker
}

// The role may have three connections: one more is refused by PostgreSQL, and then an answer is missing.
it('serves Kysely, Drizzle, Knex and connect-pg-simple with real pools, within one lease', async ({ primary }) => {
  const worker = await leased(primary)
  for (const library of ['kysely', 'drizzle', 'knex', 'connect-pg-simple'])
    expect(JSON.parse((await get(primary.port, `/${library}`)).body), library).toEqual({ asked: 10, rows: [{ one: 1 }], isPool: true })
  expect(worker.stderr).toBe('')
})

it('lets a pool of another make follow the lease', async ({ primary }) => {
  const worker = await leased(primary)
  expect(JSON.parse((await get(primary.port, '/other')).body)).toEqual({ asked: 10, rows: [{ one: 1 }], isPool: true })
  await worker.seen('leaseUse', ({ external, holds }) => external === GRANTED && holds === GRANTED)
  expect(await backends()).toBeGreaterThan(0)
  worker.send({ kind: 'lease', untilMs: null, sequence: 2, granted: 1 })
  await worker.seen('leaseUse', ({ sequence, external, holds }) => sequence === 2 && external === 1 && holds === 1)
  // A backend ends a moment after its client.
  await until('what was given back closed', async () => (await backends()) <= 1)
})

async function backends(): Promise<number> {
  const { rows } = await admin.query('select count(*)::int as count from pg_stat_activity where application_name = $1', [NAME])
  return rows[0].count
}
