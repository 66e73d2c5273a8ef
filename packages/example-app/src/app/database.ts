import type { Pool, QueryResultRow } from 'pg'
import { createPool } from 'stationmaster/worker'
import { complain, ServiceAway } from './away.ts'

export type Database = {
  readonly query: <Row extends QueryResultRow>(text: string, values?: readonly unknown[]) => Promise<Row[]>
  readonly state: () => 'ok' | 'away' | 'unknown'
}

const service = 'PostgreSQL'
/** How long a request may wait for a free connection before it is told to come back. */
const connectTimeoutMs = 5_000
/** Above the longest sleep that /query allows. */
const queryTimeoutMs = 6_000

/** All workers start at once, and two concurrent CREATE TABLE IF NOT EXISTS can still collide: the lock makes them take turns. */
const schema = `
  SELECT pg_advisory_xact_lock(20261124);
  CREATE TABLE IF NOT EXISTS notes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    author text NOT NULL,
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE TABLE IF NOT EXISTS messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room text NOT NULL,
    author text NOT NULL,
    body text NOT NULL,
    worker text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
  );`

export async function openDatabase(connectionString: string | undefined): Promise<Database> {
  if (!connectionString) return absent()
  // How many connections it has is for the supervisor to say: see database.budget in the config.
  const pool: Pool = createPool({
    connectionString,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: queryTimeoutMs,
  })
  let state: 'ok' | 'away' | 'unknown' = 'unknown'
  let tables: Promise<unknown> | null = null

  const guard = async <T>(work: Promise<T>): Promise<T> => {
    try {
      const result = await work
      state = 'ok'
      return result
    } catch (error) {
      if (!isOutage(error)) throw error
      state = 'away'
      throw new ServiceAway(service, error)
    }
  }
  const ensureTables = (): Promise<unknown> => {
    tables ??= pool.query(schema).catch((error) => {
      tables = null // try again with the next request
      throw error
    })
    return tables
  }
  await guard(ensureTables()).catch((error) => complain(service, error.cause ?? error))
  return {
    query: async (text, values = []) => {
      await guard(ensureTables())
      return (await guard(pool.query(text, [...values]))).rows
    },
    state: () => state,
  }
}

/** Lost connections and time-outs have no SQLSTATE; 08 connection, 53 too many of them, 57 shut down, 25006 read-only after a failover. */
function isOutage(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return !/^[0-9A-Z]{5}$/.test(code) || /^(08|53|57)/.test(code) || code === '25006'
}

function absent(): Database {
  return {
    query: () => Promise.reject(new ServiceAway(service, 'DATABASE_URL is not set')),
    state: () => 'away',
  }
}
