import pg from 'pg'
import { startStationmaster } from '../harness/contestants.ts'
import { type Line, linesTo, startDatabase } from '../harness/database.ts'
import type { Outcome, Row, Settings } from '../harness/row.ts'
import { median, quantile, range } from '../harness/statistics.ts'
import { until } from '../harness/wait.ts'

const MUST_MOVE_MS = 100
const MUST_WAIT_MS = 50
const MOVED = 8
/** Of 20 connections one that is busy has 18, and an idle one its floor of 2; two that are busy have 10 each. */
const AVAILABLE = 20
const FLOOR = 2
const FAIR = FLOOR + MOVED
const QUERY_MS = 200
const LOOPS = 40
const LIMIT_MS = 10_000
/** So many of all moves have to keep the bounds. */
const SHARE = 0.95

export const budgetMove: Row = {
  name: 'budget-move',
  title: `${MOVED} database connections move from a busy worker to another: time beyond the longest running query, and from a grow until waiters start`,
  must: `≤ ${MUST_MOVE_MS} ms, ≤ ${MUST_WAIT_MS} ms`,
  run,
}

interface Noted {
  readonly kind: 'lease' | 'taken'
  readonly atMs: number
  readonly connections: number
}

async function run({ quick }: Settings): Promise<Outcome> {
  const database = await startDatabase(AVAILABLE + 1)
  const config = { database: { budget: AVAILABLE + 1, reserve: 1, minPerWorker: FLOOR } }
  const server = await startStationmaster(
    'database',
    { min: 2, max: 2, spares: 0, oversubscribe: true },
    { config, env: { DATABASE_URL: database.url } },
  )
  const [one, other] = (await linesTo(server.port, 2)) as [Line, Line]
  const moves: number[] = []
  const waits: number[] = []
  const logIns: number[] = []
  for (let round = 0; round < (quick ? 2 : 20); round++) {
    const [from, to] = round % 2 === 0 ? ([one, other] as const) : ([other, one] as const)
    await idle(to)
    await from.ask(`/hunger?loops=${LOOPS}&ms=${QUERY_MS}`)
    await using(from, AVAILABLE - FLOOR)
    const { atMs } = await to.ask<{ atMs: number }>(`/hunger?loops=${LOOPS}&ms=${QUERY_MS}`)
    const events = await using(to, FAIR)
    const ended = events.find(({ kind, connections }) => kind === 'taken' && connections === FAIR)?.atMs ?? Number.NaN
    moves.push(ended - atMs - QUERY_MS)
    waits.push(...waitsOf(events))
    await idle(from)
    logIns.push(await logInPlainly(database.otherUrl))
  }
  await server.stop()
  await database.stop()
  // A new connection takes a process of the server and its log-in: on a machine that is busy for a moment one in many is late.
  const [move, wait] = [quantile(moves, SHARE), quantile(waits, SHARE)]
  return {
    measured: `${move.toFixed(0)} ms, ${wait.toFixed(0)} ms (19 of 20; medians ${median(moves).toFixed(0)} ms, ${median(waits).toFixed(0)} ms)`,
    spread: `${range(moves, 0)} ms, ${range(waits, 0)} ms`,
    reached: move <= MUST_MOVE_MS && wait <= MUST_WAIT_MS,
    comparison: `pg.Pool: never shrinks while it is busy; for ${MOVED} waiters at once one that is empty takes ${quantile(logIns, SHARE).toFixed(0)} ms (median ${median(logIns).toFixed(0)} ms)`,
    details: { moves, waits, logIns },
  }
}

/** What so many log-ins at once take by themselves, with nothing of ours about them. */
async function logInPlainly(connectionString: string): Promise<number> {
  const pool = new pg.Pool({ connectionString, max: MOVED })
  const begunAtMs = performance.now()
  const clients = await Promise.all(Array.from({ length: MOVED }, () => pool.connect()))
  const tookMs = performance.now() - begunAtMs
  for (const client of clients) client.release()
  await pool.end()
  return tookMs
}

/** From each growth of the lease until as many are in use. */
function waitsOf(events: readonly Noted[]): number[] {
  return events.flatMap(({ kind, atMs, connections }, index) => {
    const taken = events.slice(index).find((later) => later.kind === 'taken' && later.connections >= connections)
    return kind === 'lease' && taken ? [taken.atMs - atMs] : []
  })
}

async function using(line: Line, connections: number): Promise<Noted[]> {
  return await until(`${connections} connections in use`, LIMIT_MS, async () => {
    const events = await line.ask<Noted[]>('/events')
    return events.some((event) => event.kind === 'taken' && event.connections === connections) ? events : null
  })
}

async function idle(line: Line): Promise<void> {
  await line.ask('/hunger?loops=0&ms=0')
  await until('no connection in use', LIMIT_MS, async () => {
    return (await line.ask<{ inUse: number }>('/state')).inUse === 0 ? true : null
  })
}
