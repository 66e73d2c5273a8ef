import type { Pool, PoolConfig } from 'pg'
import { complain } from './complain.ts'
import { loadOptional } from './optional-package.ts'

/** A pool of pg's own; what makes it ours is that a lost idle connection is a line on stderr and not the end of the process. */
export function openPool(config: PoolConfig): Pool {
  const pg = loadOptional('pg', 'createPool()') as { Pool: new (config: PoolConfig) => Pool }
  const pool = new pg.Pool(config)
  pool.on('error', (error) => complain('the database closed an idle connection; the pool opens another when needed:', error.message))
  return pool
}
