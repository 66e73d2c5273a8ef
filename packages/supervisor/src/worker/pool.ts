import type { Pool, PoolConfig } from 'pg'
import { complain } from './complain.ts'
import { loadOptional } from './optional-package.ts'

/** A pool of pg's own; what makes it ours is that a lost idle connection is a line on stderr and not the end of the process. */
export function openPool(config: PoolConfig): Pool {
  const pg = loadOptional('pg', 'createPool()') as { Pool: new (config: PoolConfig) => Pool }
  const name = connectionName()
  // A name that the app gives, in whichever of pg's ways, goes first.
  const pool = new pg.Pool(name === null ? config : { fallback_application_name: name, ...config })
  pool.on('error', (error) => complain('the database closed an idle connection; the pool opens another when needed:', error.message))
  return pool
}

/** Tells in `pg_stat_activity` whose connection it is, also after its worker died. Null without a supervisor. */
function connectionName(): string | null {
  const { STATIONMASTER_WORKER_ID: id, STATIONMASTER_WORKER_SLOT: slot, STATIONMASTER_GENERATION: generation } = process.env
  return id === undefined ? null : `stationmaster worker ${id} slot ${slot ?? '?'} generation ${generation ?? '?'}`
}
