import type { Client } from 'pg'
import { type ServerTimeouts, goneWithinMs } from '../policy/gone-within.ts'

/** Names in PostgreSQL; one that a server does not know yet is off. */
const NAMES = {
  statementTimeoutMs: 'statement_timeout',
  transactionTimeoutMs: 'transaction_timeout',
  checkIntervalMs: 'client_connection_check_interval',
  userTimeoutMs: 'tcp_user_timeout',
  keepaliveIdleS: 'tcp_keepalives_idle',
  keepaliveIntervalS: 'tcp_keepalives_interval',
  keepaliveCount: 'tcp_keepalives_count',
} as const

const READ = `select name, setting::int as value, inet_client_addr() is null as is_local from pg_settings where name = any($1)`

/** Asked over a connection like those of the workers: roles and databases can have settings of their own. */
export async function readGoneWithinMs(client: Client): Promise<number | null> {
  const { rows } = await client.query<{ name: string; value: number; is_local: boolean }>(READ, [Object.values(NAMES)])
  const values = new Map(rows.map(({ name, value }) => [name, value]))
  const timeouts = Object.fromEntries(Object.entries(NAMES).map(([key, name]) => [key, values.get(name) ?? 0])) as Omit<ServerTimeouts, 'isLocal'>
  return goneWithinMs({ ...timeouts, isLocal: rows[0]?.is_local ?? false })
}
