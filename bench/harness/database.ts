import http from 'node:http'
import { startPostgres } from 'example-app/services'
import pg from 'pg'
import { onceAtEnd } from './processes.ts'

/** A PostgreSQL of our own, and a role of the app's that is held to a number of connections by the server itself. */
export interface Database {
  readonly url: string
  /** The same for a role that nobody counts. */
  readonly otherUrl: string
  query(text: string): Promise<pg.QueryResult>
  stop(): Promise<void>
}

export async function startDatabase(limit: number): Promise<Database> {
  delete process.env['DATABASE_URL']
  const service = await startPostgres()
  const admin = new pg.Client({ connectionString: service.url })
  const stop = onceAtEnd(async () => {
    await admin.end()
    await service.stop()
  })
  await admin.connect()
  await admin.query(`create role app login password 'app' connection limit ${limit}`)
  await admin.query("create role other login password 'other'")
  const urlOf = (role: string): string => {
    const url = new URL(service.url)
    url.username = url.password = role
    return url.href
  }
  return { url: urlOf('app'), otherUrl: urlOf('other'), query: async (text) => await admin.query(text), stop }
}

/** Speaks to one worker: over one connection, which stays where it was accepted. */
export class Line {
  readonly #port: number
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 1 })

  constructor(port: number) {
    this.#port = port
  }

  async ask<Answer>(path: string): Promise<Answer> {
    return await new Promise((resolve, reject) => {
      const request = http.get({ host: '127.0.0.1', port: this.#port, path, agent: this.#agent }, (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text
        })
        response.on('end', () => resolve(JSON.parse(body) as Answer))
      })
      request.on('error', reject)
    })
  }

  hangUp(): void {
    this.#agent.destroy()
  }
}

/** A line to each of so many workers. */
export async function linesTo(port: number, workers: number): Promise<Line[]> {
  const lines = new Map<number, Line>()
  for (let tries = 0; lines.size < workers; tries++) {
    if (tries > 200) throw new Error(`only ${lines.size} of ${workers} workers answered`)
    const line = new Line(port)
    const { pid } = await line.ask<{ pid: number }>('/state')
    if (lines.has(pid)) line.hangUp()
    else lines.set(pid, line)
  }
  return [...lines.values()]
}
