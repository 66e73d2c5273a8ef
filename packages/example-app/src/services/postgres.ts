import { launch } from './launch.ts'
import { external, type Service } from './service.ts'

export type PostgresOptions = {
  /** PostgreSQL's `max_connections` [100]. Three of them are reserved for superusers, and the user of `url` is one. */
  readonly maxConnections?: number
  /** [a free one] */
  readonly port?: number
  /** A file that takes the server's log, each line with its SQLSTATE in front. [none] */
  readonly logFile?: string
}

/**
 * A real PostgreSQL 18 for development and tests: fresh, empty, on the loopback address only, gone without a trace after `stop()` and
 * also when this process dies. With DATABASE_URL set that server is used, and nothing is started.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<Service> {
  const url = process.env['DATABASE_URL']
  return url ? external(url) : launch('PostgreSQL', new URL('./postgres-host.ts', import.meta.url), options)
}
