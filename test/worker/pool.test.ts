import type { Service } from 'example-app/services'
import { startPostgres } from 'example-app/services'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { drained, get, it, NOTHING_CUT, start } from './harness.ts'
import type { MiniPrimary, MiniWorker } from './mini-primary.ts'

let database: Service
let admin: pg.Client

beforeAll(async () => {
  database = await startPostgres()
  admin = new pg.Client({ connectionString: database.url })
  await admin.connect()
})

afterAll(async () => {
  await admin?.end()
  await database?.stop()
})

async function use(primary: MiniPrimary, env: Record<string, string> = {}): Promise<MiniWorker> {
  const names = { STATIONMASTER_WORKER_ID: '3', STATIONMASTER_WORKER_SLOT: '1', STATIONMASTER_GENERATION: '2' }
  return await start(primary, 'pool.mjs', { DATABASE_URL: database.url, ...names, ...env })
}

async function ask(primary: MiniPrimary, path = '/'): Promise<{ readonly name: string; readonly pid: number }> {
  return JSON.parse((await get(primary.port, path)).body)
}

/** Backends of a name; asked again until it fits, because a backend ends a moment after its client. */
async function backends(name: string, count: number): Promise<void> {
  for (;;) {
    const { rows } = await admin.query('select pid from pg_stat_activity where application_name = $1', [name])
    if (rows.length === count) return
  }
}

const NAME = 'stationmaster worker 3 slot 1 generation 2'

describe('createPool', () => {
  it('names its connections after the worker, and ends them with it, after the last response', async ({ primary }) => {
    const worker = await use(primary)
    expect((await ask(primary)).name).toBe(NAME)
    await backends(NAME, 1)
    const answer = ask(primary, '/slow')
    await worker.until(() => worker.foreign.includes('slow'), 'the query')
    worker.send({ kind: 'drain', timeoutMs: 10_000, patient: false })
    expect((await answer).name).toBe(NAME)
    expect(await drained(worker)).toEqual(NOTHING_CUT)
    await backends(NAME, 0)
    expect(worker.stderr).toBe('')
  })

  it('serves who waits for a connection when it is ended, also when no response waits for them, and is gone then', async ({ primary }) => {
    const worker = await use(primary)
    await get(primary.port, '/background')
    worker.send({ kind: 'drain', timeoutMs: 20_000, patient: false })
    expect(await drained(worker)).toEqual(NOTHING_CUT)
    expect(worker.foreign).toEqual(['served', 'served', 'served'])
    await backends(NAME, 0)
  })

  it('tells who waits when there is no more time', async ({ primary }) => {
    const worker = await use(primary)
    await get(primary.port, '/hold')
    worker.send({ kind: 'drain', timeoutMs: 1000, patient: false })
    expect(await drained(worker)).toEqual(NOTHING_CUT)
    expect(worker.foreign).toEqual(['SM_STOPPING'])
  })

  it('refuses newcomers once it is ended, and may be ended twice', async ({ primary }) => {
    const worker = await use(primary)
    await get(primary.port, '/end')
    await backends(NAME, 0)
    expect(worker.foreign).toEqual(['Cannot use a pool after calling end on the pool', 'served'])
    worker.send({ kind: 'drain', timeoutMs: 5000, patient: false })
    expect(await drained(worker)).toEqual(NOTHING_CUT)
    expect(worker.stderr).toBe('')
  })

  it('leaves a name to the app', async ({ primary }) => {
    const url = new URL(database.url)
    url.searchParams.set('application_name', 'mine')
    await use(primary, { DATABASE_URL: url.href })
    expect((await ask(primary)).name).toBe('mine')
    await primary.workers[0]?.kill()
    await use(primary, { PGAPPNAME: 'from the environment' })
    expect((await ask(primary)).name).toBe('from the environment')
  })

  it('survives the loss of an idle connection', async ({ primary }) => {
    const worker = await use(primary)
    const { pid } = await ask(primary)
    await admin.query('select pg_terminate_backend($1)', [pid])
    await worker.until(() => worker.stderr.includes('\n'), 'the complaint')
    expect(worker.stderr).toMatch(/^stationmaster: the database closed an idle connection; the pool opens another when needed: .*\n$/)
    expect((await ask(primary)).pid).not.toBe(pid)
  })
})
