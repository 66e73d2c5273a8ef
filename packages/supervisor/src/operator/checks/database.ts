import { createRequire } from 'node:module'
import type { Client } from 'pg'
import type { Settings } from '../../config/settings.ts'
import { type Finding, error, warning } from './finding.ts'

/** What the server says about itself and about the role that the app connects with. */
export interface DatabaseFacts {
  readonly role: string
  readonly maxConnections: number
  /** Kept by the server for superusers and for roles of pg_use_reserved_connections. */
  readonly reservedConnections: number
  /** -1 is none. */
  readonly roleLimit: number
  readonly checkIntervalMs: number
  /** A pooler such as PgBouncer stands in between. */
  readonly isPooled: boolean
}

type Pg = { readonly Client: new (config: object) => Client }

const ANSWER_MS = 3000
/** pg's own size of a pool that nobody sized. */
const USUAL_POOL = 10

const READ = `select current_user as role, pg_backend_pid() as pid,
  (select sum(setting::int)::int from pg_settings where name in ('superuser_reserved_connections', 'reserved_connections')) as reserved,
  current_setting('max_connections')::int as max,
  coalesce((select setting::int from pg_settings where name = 'client_connection_check_interval'), 0) as interval,
  (select rolconnlimit from pg_roles where rolname = current_user) as role_limit`

/** Asks the server, if there is one and the app has `pg`, whether what is configured can be kept. */
export async function checkDatabase(settings: Settings): Promise<Finding[]> {
  const { url } = settings.database
  const pg = url === null ? null : loadPg(settings.app.entry)
  if (url === null || pg === null) return settings.database.budget === null ? [] : [warning(CANNOT_ASK)]
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: ANSWER_MS, query_timeout: ANSWER_MS })
  client.on('error', () => {})
  try {
    await client.connect()
    return judgeDatabase(await read(client), settings)
  } catch (failure) {
    const { code, message } = failure as NodeJS.ErrnoException
    // Nobody there: told by the check of the address.
    return code?.startsWith('E') ? [] : [error(`database.url: the database refuses (${message}).`)]
  } finally {
    await client.end().catch(() => {})
  }
}

const CANNOT_ASK =
  'database.budget: without database.url (or DATABASE_URL) and the package pg nobody can ask the database whether connections of a dead worker are gone; they are taken to end with it.'

async function read(client: Client): Promise<DatabaseFacts> {
  const row = (await client.query(READ)).rows[0]
  return {
    role: row.role,
    maxConnections: row.max,
    reservedConnections: row.reserved,
    roleLimit: row.role_limit,
    checkIntervalMs: row.interval,
    isPooled: row.pid !== (client as unknown as { processID: number }).processID,
  }
}

/** What is wrong, with the SQL that mends it. */
export function judgeDatabase(facts: DatabaseFacts, { database, fleet }: Settings): Finding[] {
  const { budget } = database
  const usable = facts.maxConnections - facts.reservedConnections
  if (facts.isPooled) return budget === null ? [] : [warning(POOLED)]
  return budget === null
    ? judgeWithout(facts, usable, fleet.workers.max)
    : [...judgeBudget(facts, usable, budget), ...judgeShare({ database, fleet })]
}

const POOLED =
  'A pooler such as PgBouncer stands before the database: database.budget counts connections to it, and those of a dead worker are taken to end with it. Keep its own limits (default_pool_size, max_db_connections) within the database.'

function judgeWithout({ maxConnections, reservedConnections }: DatabaseFacts, usable: number, workers: number): Finding[] {
  const most = workers * USUAL_POOL
  if (most <= usable) return []
  const sum = `workers.max ${workers} × ${USUAL_POOL} connections (the usual size of a pool) is more than the ${usable} that the database takes`
  return [warning(`${sum} (max_connections ${maxConnections}, ${reservedConnections} reserved): set database.budget and use createPool.`)]
}

function judgeBudget(
  { role, maxConnections, reservedConnections, roleLimit, checkIntervalMs }: DatabaseFacts,
  usable: number,
  budget: number,
): Finding[] {
  const findings: Finding[] = []
  const limit = `ALTER ROLE ${quoted(role)} CONNECTION LIMIT ${budget};`
  if (budget > usable) {
    const takes = `the database takes ${usable} (max_connections ${maxConnections}, ${reservedConnections} reserved)`
    const mend = `ALTER SYSTEM SET max_connections = ${budget + reservedConnections}; (needs a restart)`
    findings.push(error(`database.budget is ${budget}, but ${takes}: lower it, or ${mend}`))
  }
  if (roleLimit >= 0 && roleLimit < budget)
    findings.push(error(`database.budget is ${budget}, but the role ${role} may have ${roleLimit} connections: lower it, or ${limit}`))
  if (roleLimit < 0 || roleLimit > budget) findings.push(warning(`Let the database itself keep the role ${role} within database.budget: ${limit}`))
  if (checkIntervalMs === 0)
    findings.push(
      warning(
        `A query of a worker that died runs to its end, and its connection is missed until then: ALTER ROLE ${quoted(role)} SET client_connection_check_interval = '500ms'; (PostgreSQL 14, superuser)`,
      ),
    )
  return findings
}

function judgeShare({ database, fleet }: Pick<Settings, 'database' | 'fleet'>): Finding[] {
  const { database: plan } = fleet
  if (plan === null) return []
  const findings: Finding[] = []
  if (database.replicas > 1 && !plan.isShared)
    findings.push(
      warning(
        `Each of ${database.replicas} replicas takes ${plan.share} of the ${plan.budget} connections of database.budget, whatever it needs: they do not know of each other. Set redis.url.`,
      ),
    )
  if (plan.floor < database.minPerWorker) {
    const share = `${plan.available} connections do not give workers.min ${fleet.workers.min} and a successor in a reload ${database.minPerWorker} each`
    findings.push(warning(`database.minPerWorker: ${share}; each gets ${plan.floor}. Raise database.budget.`))
  }
  return findings
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** As the app would load it. */
function loadPg(entry: string): Pg | null {
  try {
    return createRequire(entry)('pg') as Pg
  } catch {
    return null
  }
}
