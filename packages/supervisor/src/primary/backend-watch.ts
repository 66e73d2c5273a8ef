import { createRequire } from 'node:module'
import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from 'pg'
import type { BackendsSeen } from '../fleet/event.ts'
import { readGoneWithinMs } from './server-timeouts.ts'

/** What the database shows of workers, those that are gone above all, and of others. */
export interface BackendWatch {
  /** Calls `seen` once, when the server has answered; while it is away it is asked again and again. */
  ask(workerIds: readonly number[], clock: Clock, seen: (event: BackendsSeen) => void): void
  /** Connections of all replicas, by member; rejects if the server does not answer. */
  census(): Promise<Census>
  close(): void
}

export interface Census {
  readonly connections: Readonly<Record<string, number>>
  /** Connections that have not told their name yet. */
  readonly unnamed: number
}

export interface BackendWatchOptions {
  /** Null where nobody told where the database is. */
  readonly url: string | null
  /** What the names of this fleet's connections begin with; the worker's id follows. Null where nobody limits them. */
  readonly prefix: string | null
  /** The app's entry point: its copy of `pg` is used. */
  readonly entry: string
  readonly terminateOrphans: boolean
  warn(sentence: string): void
}

interface Clock {
  nowMs(): number
}

/** Between two questions, and the longest pause while the server is away. */
const ASK_AGAIN_MS = 200
const LONGEST_PAUSE_MS = 1000
/** A server that takes longer than this to connect or to answer is asked again. */
const ANSWER_MS = 5000

const NOTHING = {
  kind: 'backendsSeen' as const,
  backends: [],
  starting: 0,
  foreign: 0,
  goneWithinMs: null,
}

const NOBODY: Census = { connections: {}, unnamed: 0 }

type Row = { readonly pid: number; readonly application_name: string; readonly is_starting: boolean; readonly is_foreign: boolean }

/** Other replicas and deployments have names of the same kind, and a part of the budget that is theirs. */
const OF_A_FLEET = '^stationmaster [0-9a-f]{12} worker '
const LOOK = `select pid, application_name, usesysid is null as is_starting, usesysid is not null and application_name !~ '${OF_A_FLEET}' as is_foreign
  from pg_stat_activity where backend_type = 'client backend' and (usename = current_user or usesysid is null or starts_with(application_name, $1))`
const END = 'select pg_terminate_backend(pid) from pg_stat_activity where pid = any($1) and starts_with(application_name, $2)'

/** Asks over one connection, which is opened at the first question and then kept. It is one of those that the budget leaves to the supervisor. */
export function createBackendWatch(options: BackendWatchOptions): BackendWatch | null {
  const { prefix } = options
  return prefix === null ? null : new Watch({ ...options, prefix })
}

class Watch implements BackendWatch {
  readonly #options: BackendWatchOptions & { readonly prefix: string }
  #client: Client | null = null
  #connecting: Promise<Client> | null = null
  #isPooled = false
  /** From its last connection: the answer that counts while there is no other. */
  #goneWithinMs: number | null = null
  #isClosed = false
  #warned = false

  constructor(options: BackendWatchOptions & { readonly prefix: string }) {
    this.#options = options
  }

  ask(workerIds: readonly number[], clock: Clock, seen: (event: BackendsSeen) => void): void {
    void this.#lookUntilSeen(workerIds, clock).then((event) => event && seen(event))
  }

  async census(): Promise<Census> {
    const { url, entry, prefix } = this.#options
    const pg = url === null ? null : loadPg(entry, import.meta.url)
    if (pg === null) return NOBODY
    try {
      const client = await this.#reach(pg)
      return this.#isPooled ? NOBODY : censusOf((await client.query<Row>(LOOK, [prefix])).rows)
    } catch (error) {
      this.#client?.end().catch(() => {})
      this.#client = null
      throw error
    }
  }

  close(): void {
    this.#isClosed = true
    this.#client?.end().catch(() => {})
    this.#client = null
  }

  async #lookUntilSeen(workerIds: readonly number[], clock: Clock): Promise<BackendsSeen | null> {
    const { url, entry } = this.#options
    const pg = url === null ? null : loadPg(entry, import.meta.url)
    // Nobody can be asked: what a process had open is taken to end with it.
    if (pg === null) return { ...NOTHING, askedAtMs: Number.MAX_SAFE_INTEGER }
    for (let pauseMs = ASK_AGAIN_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
      await pause(pauseMs, undefined, { ref: false })
      if (this.#isClosed) return null
      const seen = await this.#look(pg, workerIds, clock).catch((error: unknown) => this.#failed(error))
      if (seen) return seen
    }
  }

  async #look(pg: Pg, workerIds: readonly number[], clock: Clock): Promise<BackendsSeen> {
    const { prefix, terminateOrphans } = this.#options
    const client = await this.#reach(pg)
    const askedAtMs = clock.nowMs()
    if (this.#isPooled) return { ...NOTHING, askedAtMs }
    const { rows } = await client.query<Row>(LOOK, [prefix])
    const pids = rows.filter((row) => workerIds.includes(workerOf(row, prefix))).map(({ pid }) => pid)
    if (terminateOrphans && pids.length > 0) await client.query(END, [pids, prefix])
    return {
      ...NOTHING,
      askedAtMs,
      backends: countByWorker(rows, prefix),
      starting: rows.filter((row) => row.is_starting).length,
      foreign: rows.filter((row) => row.is_foreign).length,
      goneWithinMs: this.#goneWithinMs,
    }
  }

  /** The budget leaves one connection to the supervisor: who asks while it is being opened waits for that one. */
  async #reach(pg: Pg): Promise<Client> {
    if (this.#client) return this.#client
    this.#connecting ??= this.#connect(pg).finally(() => {
      this.#connecting = null
    })
    return await this.#connecting
  }

  async #connect(pg: Pg): Promise<Client> {
    const client = new pg.Client({
      connectionString: this.#options.url ?? '',
      application_name: `${this.#options.prefix}watch`,
      connectionTimeoutMillis: ANSWER_MS,
      query_timeout: ANSWER_MS,
    })
    const forget = (): void => {
      if (this.#client === client) this.#client = null
    }
    client.on('error', forget).on('end', forget)
    try {
      await client.connect()
      await this.#getToKnow(client)
    } catch (error) {
      client.end().catch(() => {})
      throw error
    }
    if (this.#isClosed) client.end().catch(() => {})
    else this.#client = client
    return client
  }

  async #getToKnow(client: Client): Promise<void> {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    // A pooler in between gives a number of its own, and ends what a dead process had open by itself.
    this.#isPooled = rows[0]?.pid !== (client as unknown as { processID: number }).processID
    this.#goneWithinMs = await readGoneWithinMs(client)
  }

  #failed(error: unknown): void {
    this.#client?.end().catch(() => {})
    this.#client = null
    if (this.#warned) return
    this.#warned = true
    this.#options.warn(
      `The database could not be asked whose connections it has (${String(error)}). Those of a worker that is gone stay reserved until it can, or until its settings, if they were read before, leave none.`,
    )
  }
}

type Pg = { readonly Client: new (config: object) => Client }

/** As the app would load it, or else as our own peer. */
function loadPg(...origins: readonly string[]): Pg | null {
  for (const origin of origins) {
    try {
      return createRequire(origin)('pg') as Pg
    } catch {
      // the next one may have it
    }
  }
  return null
}

const workerOf = ({ application_name: name }: Row, prefix: string): number =>
  name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : -1

function countByWorker(rows: readonly Row[], prefix: string): { workerId: number; connections: number }[] {
  const counts = new Map<number, number>()
  for (const row of rows) {
    const workerId = workerOf(row, prefix)
    if (workerId > 0) counts.set(workerId, (counts.get(workerId) ?? 0) + 1)
  }
  return [...counts].map(([workerId, connections]) => ({ workerId, connections }))
}

function censusOf(rows: readonly Row[]): Census {
  const counts = new Map<string, number>()
  for (const { application_name: name } of rows) {
    const member = /^stationmaster (\w+) worker \d/.exec(name)?.[1]
    if (member !== undefined) counts.set(member, (counts.get(member) ?? 0) + 1)
  }
  return { connections: Object.fromEntries(counts), unnamed: rows.filter((row) => row.is_starting).length }
}
