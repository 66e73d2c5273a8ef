import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Service } from 'example-app/services'
import { startPostgres } from 'example-app/services'
import pg from 'pg'

/** The server is looked at so long after each look. */
export const LOOK_MS = 20

/** A PostgreSQL that refuses one connection too many, and somebody who counts all the time. */
export class Judge {
  readonly url: string
  readonly service: Service
  readonly #logFile: string
  #admin: pg.Client | null = null
  /** Connections of the app's role: now, and the most since the watch began, in so many looks. */
  now = 0
  most = 0
  looks = 0
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<unknown> = Promise.resolve()

  constructor(service: Service, url: string, logFile: string) {
    this.service = service
    this.#logFile = logFile
    this.url = url
  }

  /** As superuser; after a restart of the server over a new connection. */
  async query(text: string, values: readonly unknown[] = []): Promise<pg.QueryResult> {
    const admin = this.#admin ?? (await this.#connect())
    return await admin.query(text, [...values])
  }

  async #connect(): Promise<pg.Client> {
    const admin = new pg.Client({ connectionString: this.service.url })
    const forget = (): void => {
      if (this.#admin === admin) this.#admin = null
    }
    admin.on('error', forget).on('end', forget)
    await admin.connect()
    this.#admin = admin
    return admin
  }

  async limit(connections: number): Promise<void> {
    await this.query(`alter role app connection limit ${connections}`)
  }

  /** Lines of the server's own log that have this in them. */
  logged(text: string): string[] {
    return readFileSync(this.#logFile, 'utf8')
      .split('\n')
      .filter((line) => line.includes(text))
  }

  watch(): void {
    this.most = 0
    this.looks = 0
    const lookAgain = async (): Promise<void> => {
      // While the server is away there is nothing to see.
      await this.count().catch(() => {})
      if (this.#timer) this.#timer = setTimeout(look, LOOK_MS)
    }
    const look = (): void => {
      this.#looking = lookAgain()
    }
    this.#timer = setTimeout(look, LOOK_MS)
  }

  async stopWatching(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#looking
  }

  async count(): Promise<number> {
    const { rows } = await this.query("select count(*)::int as count from pg_stat_activity where usename = 'app'")
    this.now = rows[0].count
    this.most = Math.max(this.most, this.now)
    this.looks++
    return this.now
  }

  async close(): Promise<void> {
    await this.stopWatching()
    await this.#admin?.end()
    await this.service.stop()
    rmSync(path.dirname(this.#logFile), { recursive: true })
  }
}

export async function openJudge(): Promise<Judge> {
  // Not a server that is there already: this one is limited, crashed and filled up.
  delete process.env['DATABASE_URL']
  const logFile = path.join(mkdtempSync(path.join(tmpdir(), 'stationmaster-judge-')), 'postgres.log')
  const service = await startPostgres({ logFile })
  const url = new URL(service.url)
  url.username = 'app'
  url.password = 'app'
  const judge = new Judge(service, url.href, logFile)
  await judge.query("create role app login password 'app'")
  return judge
}
