import type { Service } from 'example-app/services'
import { startPostgres } from 'example-app/services'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import type { WorkerMessage } from '../../packages/supervisor/src/wire/messages.ts'
import { until } from '../processes/harness/until.ts'
import * as certificate from './fixtures/certificate.ts'
import { drained, get, it, NOTHING_CUT, start } from './harness.ts'
import type { MiniPrimary, MiniWorker } from './mini-primary.ts'

let database: Service
let admin: pg.Client

beforeAll(async () => {
  // Not a server that is there already: this one is reconfigured.
  delete process.env['DATABASE_URL']
  database = await startPostgres()
  admin = new pg.Client({ connectionString: database.url })
  await admin.connect()
})

afterAll(async () => {
  await admin?.end()
  await database?.stop()
})

const NAME = 'stationmaster abcdef01 worker 3 slot 1 generation 2'

/** A worker with two pools, and the lease it has. */
class Leased {
  readonly #primary: MiniPrimary
  readonly worker: MiniWorker
  #sequence = 0

  constructor(primary: MiniPrimary, worker: MiniWorker) {
    this.#primary = primary
    this.worker = worker
  }

  grant(granted: number, untilMs: number | null = null): void {
    this.worker.send({ kind: 'lease', untilMs, sequence: ++this.#sequence, granted })
  }

  /** The same word once more, as after a lost answer, or because its time goes on. */
  repeat(granted: number, untilMs: number | null = null): void {
    this.worker.send({ kind: 'lease', untilMs, sequence: this.#sequence, granted })
  }

  async ask(path: string): Promise<Record<string, unknown>> {
    return JSON.parse((await get(this.#primary.port, path)).body)
  }

  /** The first promise for the newest word that fits. */
  async promises(fits: (use: Extract<WorkerMessage, { kind: 'leaseUse' }>) => boolean): Promise<void> {
    await this.worker.seen('leaseUse', (use) => use.sequence === this.#sequence && fits(use))
  }

  promised(holds: number): boolean {
    return this.worker.all('leaseUse').some((use) => use.sequence === this.#sequence && use.holds === holds)
  }
}

async function lease(primary: MiniPrimary, granted: number, url = database.url, pool: object = {}): Promise<Leased> {
  const env = { DATABASE_URL: url, STATIONMASTER_CONNECTION_NAME: NAME, POOL: JSON.stringify(pool) }
  const worker = await start(primary, 'leased.mjs', env)
  const leased = new Leased(primary, worker)
  leased.grant(granted)
  await leased.promises(({ holds }) => holds === granted)
  return leased
}

/** So long from now, by the clock that a worker goes by. */
const inMs = (ms: number): number => Number(process.hrtime.bigint() / 1_000_000n) + ms

/** Lets the server speak TLS, with a certificate of its own. */
async function encrypt(): Promise<void> {
  const { key, cert } = certificate
  for (const [file, text] of [
    ['server.key', key],
    ['server.crt', cert],
  ] as const) {
    const lines = text
      .trim()
      .split('\n')
      .map((line) => `(${pg.escapeLiteral(line)})`)
    await admin.query(`copy (values ${lines.join(', ')}) to program 'cat > ${file} && chmod 600 ${file}'`)
  }
  await admin.query('alter system set ssl = on')
  await admin.query('select pg_reload_conf()')
  for (let on = false; !on; on = (await admin.query('show ssl')).rows[0].ssl === 'on');
}

/** Asked again until it fits. */
async function backends(count: number): Promise<void> {
  for (let seen = -1; seen !== count; ) {
    const { rows } = await admin.query('select count(*)::int as count from pg_stat_activity where starts_with(application_name, $1)', [NAME])
    seen = rows[0].count
  }
}

describe('a pool with a lease', () => {
  it('names its connections so that the supervisor finds them, and keeps a name of the app behind', async ({ primary }) => {
    const url = new URL(database.url)
    url.searchParams.set('application_name', 'mine')
    const leased = await lease(primary, 2, url.href)
    expect(await leased.ask('/take')).toMatchObject({ name: `${NAME} mine` })
  })

  it('has all pools of the worker wait together, and starts who waits when it grows', async ({ primary }) => {
    const leased = await lease(primary, 2)
    await leased.ask('/take/first')
    await leased.ask('/take/second')
    const third = leased.ask('/take/first')
    await leased.promises(({ waiting, inUse }) => waiting === 1 && inUse === 2)
    await backends(2)
    leased.grant(3)
    expect(await third).toMatchObject({ name: NAME })
    expect(await leased.ask('/state')).toMatchObject({ value: { granted: 3, connectionName: NAME }, total: 2, heard: [2, 3] })
  })

  it('takes an idle connection from one pool for another', async ({ primary }) => {
    const leased = await lease(primary, 1)
    await leased.ask('/take/second')
    await leased.ask('/give/second')
    expect(await leased.ask('/take/first')).toMatchObject({ name: NAME })
    await backends(1)
  })

  it('shrinks by what is idle at once, by what is in use when it is given back, and promises only what is true', async ({ primary }) => {
    const leased = await lease(primary, 4)
    for (const pool of ['first', 'first', 'first', 'second']) await leased.ask(`/take/${pool}`)
    await leased.ask('/give/second')
    leased.grant(1)
    await leased.promises(({ holds, inUse }) => holds === 3 && inUse === 3)
    await backends(3)
    expect(leased.promised(1)).toBe(false)
    await leased.ask('/give/first')
    await leased.promises(({ holds }) => holds === 2)
    await leased.ask('/give/first')
    await leased.promises(({ holds }) => holds === 1)
    await backends(1)
    leased.worker.messages.length = 0
    leased.repeat(1)
    await leased.promises(({ holds }) => holds === 1)
  })

  it('ends by itself, whoever else is silent: nothing more is opened, what is given back is closed, and a later end wakes who waits', async ({
    primary,
  }) => {
    const leased = await lease(primary, 3)
    await leased.ask('/take')
    await leased.ask('/take')
    leased.grant(3, inMs(300))
    await until('the end', async () => ((await leased.ask('/state'))['value'] as { granted: number }).granted === 0)
    const third = leased.ask('/take')
    await leased.promises(({ waiting, inUse, holds }) => waiting === 1 && inUse === 2 && holds === 3)
    await backends(2)
    await leased.ask('/give')
    await backends(1)
    expect(await leased.ask('/state')).toMatchObject({ total: 1, waiting: 1, heard: [3, 0] })
    leased.repeat(3, inMs(600_000))
    expect(await third).toMatchObject({ name: NAME })
    expect(await leased.ask('/state')).toMatchObject({ value: { granted: 3 }, heard: [3, 0, 3] })
    await backends(2)
  })

  it('counts a connection that was given up until the server has let go of it, and tells the app at once', async ({ primary }) => {
    const leased = await lease(primary, 1)
    await leased.ask('/take')
    expect(await leased.ask('/abandon')).toBe('Connection terminated')
    await backends(1)
    const next = leased.ask('/take')
    await leased.promises(({ waiting }) => waiting === 1)
    const { rows } = await admin.query('select count(*)::int as count from pg_stat_activity where application_name = $1', [NAME])
    expect(rows[0].count).toBe(1)
    expect(await next).toMatchObject({ name: NAME })
    await backends(1)
  })

  it('does the same over TLS', async ({ primary }) => {
    await encrypt()
    const leased = await lease(primary, 1, `${database.url}?sslmode=no-verify`)
    const { pid } = await leased.ask('/take')
    expect((await admin.query('select ssl from pg_stat_ssl where pid = $1', [pid])).rows).toEqual([{ ssl: true }])
    expect(await leased.ask('/abandon')).toBe('Connection terminated')
    const next = leased.ask('/take')
    await leased.promises(({ waiting }) => waiting === 1)
    await backends(1)
    expect(await next).toMatchObject({ name: NAME })
    await leased.ask('/give?how=destroy')
    await backends(0)
    expect(leased.worker.stderr).toBe('')
  })

  it('survives the loss of a connection that is lent out', async ({ primary }) => {
    const leased = await lease(primary, 1)
    const { pid } = await leased.ask('/take')
    await admin.query('select pg_terminate_backend($1)', [pid])
    await backends(0)
    await leased.ask('/give?how=destroy')
    expect(await leased.ask('/take')).toMatchObject({ name: NAME })
  })

  it('does not storm a server that is away, and fails with the reason meanwhile', async ({ primary }) => {
    const leased = await lease(primary, 4, 'postgres://nobody:nothing@127.0.0.1:9/none')
    const answers = await Promise.all(Array.from({ length: 20 }, () => leased.ask('/take')))
    expect(new Set(answers.map(({ code }) => code))).toEqual(new Set(['ECONNREFUSED']))
    const told = await leased.worker.seen('databaseState')
    expect(told).toMatchObject({ server: '127.0.0.1:9', error: { code: 'ECONNREFUSED' }, pauseMs: 50 })
    expect(await leased.ask('/state')).toMatchObject({ total: 0, waiting: 0 })
  })

  it('fails with what another worker met, instead of trying too', async ({ primary }) => {
    const leased = await lease(primary, 4)
    const { hostname, port } = new URL(database.url)
    const error = { code: '57P03', message: 'heard of another worker' }
    // The pause that it makes of it is short; asked until an answer falls into one.
    for (let answer: unknown = null; (answer as { message?: string })?.message !== error.message; ) {
      leased.worker.send({ kind: 'databaseState', server: `${hostname}:${port}`, error, pauseMs: 1000 })
      answer = await leased.ask('/take/second')
      if ((answer as { pid?: number }).pid) await leased.ask('/give/second?how=destroy')
    }
    leased.worker.send({ kind: 'databaseState', server: `${hostname}:${port}`, error: null, pauseMs: 0 })
    for (let answer: Record<string, unknown> = {}; answer['name'] !== NAME; answer = await leased.ask('/take/first'));
    expect(leased.worker.stderr).toBe('')
  })

  it('lets nobody wait for ever for an empty lease', async ({ primary }) => {
    const leased = await lease(primary, 0, database.url, { connectionTimeoutMillis: 100 })
    expect(await leased.ask('/take')).toMatchObject({
      code: 'SM_LEASE_EMPTY',
      message: expect.stringMatching(/^This worker may have no connection to the database now/),
    })
    await leased.worker.kill()
    const patient = await lease(primary, 1)
    expect(await patient.ask('/state')).toMatchObject({ longestWaitMs: 30_000 })
  })

  it('refuses a size that pg takes for another', async ({ primary }) => {
    for (const max of [0, -1, 1.5, '4']) {
      const worker = primary.fork('leased.mjs', { DATABASE_URL: database.url, POOL: JSON.stringify({ max }) })
      expect((await worker.exited).code).toBe(1)
      expect(worker.stderr).toContain(`createPool({ max: ${JSON.stringify(max)} }) is not allowed; expected a whole number of at least 1.`)
    }
  })

  it('is ended by a drain', async ({ primary }) => {
    const leased = await lease(primary, 2)
    await leased.ask('/take')
    await leased.ask('/give')
    leased.worker.send({ kind: 'drain', timeoutMs: 10_000, patient: false })
    expect(await drained(leased.worker)).toEqual(NOTHING_CUT)
    await backends(0)
  })
})

describe('lease.acknowledge', () => {
  it('counts a pool of another make, within what is left', async ({ primary }) => {
    const leased = await lease(primary, 4)
    await leased.ask('/take')
    expect(await leased.ask('/acknowledge?how=4')).toEqual({
      code: 'SM_LEASE_EXCEEDED',
      message: 'lease.acknowledge(4) is more than the 3 connections that the lease has room for.',
    })
    expect(await leased.ask('/acknowledge?how=0.5')).toMatchObject({ code: 'SM_OPTION_INVALID' })
    expect(await leased.ask('/acknowledge?how=3')).toBeNull()
    leased.grant(2)
    await leased.promises(({ holds }) => holds === 4)
    await leased.ask('/acknowledge?how=1')
    await leased.promises(({ holds }) => holds === 2)
  })
})
