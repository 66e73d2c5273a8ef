import type { Pool, PoolConfig } from 'pg'
import { StationmasterError } from '../errors.ts'
import { complain } from './complain.ts'
import type { ConnectionLedger } from './connection-ledger.ts'
import { type ClientClass, leasedClientClass } from './leased-client.ts'
import { leasePool } from './leased-pool.ts'
import { loadOptional } from './optional-package.ts'

/** What a worker needs in order to stay within a budget: who counts, and under which name its connections are known. */
export interface LeaseTerms {
  readonly ledger: ConnectionLedger
  readonly connectionName: string
}

/** A lease can be empty for a while; nobody waits for it for ever, unless the app says so. */
const LONGEST_WAIT_MS = 30_000

type Pg = { readonly Pool: new (config: PoolConfig) => Pool; readonly Client: ClientClass }

/** A pool of pg's own; what makes it ours is that a lost idle connection is a line on stderr and not the end of the process. */
export function openPool(config: PoolConfig, terms: LeaseTerms | null): Pool {
  requireSize(config.max)
  const pg = loadOptional('pg', 'createPool()') as Pg
  const pool = new pg.Pool(terms ? leasedConfig(config, pg, terms) : namedConfig(config))
  if (terms) leasePool(pool, terms.ledger)
  // A client that is lent out has no listener of the pool's; what it was asked fails with the reason anyway.
  pool.on('connect', (client) => client.on('error', () => {}))
  pool.on('error', (error) => complain('the database closed an idle connection; the pool opens another when needed:', error.message))
  return pool
}

/** To pg a pool of size 0 is one of 10, and one of size -1 never serves anybody. */
function requireSize(max: unknown): void {
  if (max === undefined || (typeof max === 'number' && Number.isSafeInteger(max) && max >= 1)) return
  const sentence = `createPool({ max: ${JSON.stringify(max)} }) is not allowed; expected a whole number of at least 1.`
  throw new StationmasterError('SM_OPTION_INVALID', 'option', sentence)
}

/** The lease says how many there may be; a size that the app gives is an upper bound besides. */
function leasedConfig(config: PoolConfig, pg: Pg, { ledger, connectionName }: LeaseTerms): PoolConfig {
  const base = ((config as { Client?: ClientClass }).Client ?? pg.Client) as ClientClass
  return {
    max: Number.MAX_SAFE_INTEGER,
    connectionTimeoutMillis: LONGEST_WAIT_MS,
    ...config,
    Client: leasedClientClass(base, ledger, connectionName),
  } as PoolConfig
}

/** Tells in `pg_stat_activity` whose connection it is. A name that the app gives, in whichever of pg's ways, goes first. */
function namedConfig(config: PoolConfig): PoolConfig {
  const { STATIONMASTER_WORKER_ID: id, STATIONMASTER_WORKER_SLOT: slot, STATIONMASTER_GENERATION: generation } = process.env
  if (id === undefined) return config
  return { fallback_application_name: `stationmaster worker ${id} slot ${slot ?? '?'} generation ${generation ?? '?'}`, ...config }
}
