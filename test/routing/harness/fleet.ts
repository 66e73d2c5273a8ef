import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { RawClient } from '../../worker/harness.ts'
import type { Stage } from '../../processes/harness.ts'
import type { Station } from '../../processes/harness/station.ts'
import { until, within } from '../../processes/harness/until.ts'
import { ask } from './ask.ts'

const entry = fileURLToPath(new URL('../fixtures/bytes.mjs', import.meta.url))

/** What the app saw of a request. */
export interface Seen {
  readonly worker: string
  readonly method: string
  readonly url: string
  readonly rawHeaders: readonly string[]
  readonly bytes: number
  readonly hash: string
  readonly remoteAddress: string
  readonly remotePort: number
  readonly remoteFamily: string
  readonly localPort: number
  readonly encrypted: boolean
}

/** A connection that one worker has accepted, and a cookie that brings its requests to another. */
export interface Foreign {
  readonly client: RawClient
  readonly cookie: string
  readonly acceptor: string
  readonly owner: string
}

export interface FleetOptions {
  readonly workers?: number
  readonly env?: Readonly<Record<string, string>>
  readonly config?: Readonly<Record<string, unknown>>
}

const SIDS = Array.from({ length: 40 }, (_, index) => `client-${index}`)

/** Workers that share clients by the cookie `sid`, and what they ran. */
export class Fleet {
  readonly station: Station
  /** By worker: the value of a cookie that belongs to it. */
  readonly sids: ReadonlyMap<string, string>
  readonly #runsFile: string

  private constructor(station: Station, sids: ReadonlyMap<string, string>, runsFile: string) {
    this.station = station
    this.sids = sids
    this.#runsFile = runsFile
  }

  static async open(stage: Stage, { workers = 2, env = {}, config = {} }: FleetOptions = {}): Promise<Fleet> {
    const runsFile = path.join(stage.folder, 'runs')
    const fleet = { workers: { min: workers, max: workers + 1, oversubscribe: true, spares: 0, bootTimeout: '20s' } }
    const station = await stage.start(
      { entry, config: { ...fleet, routing: { sticky: { cookie: 'sid' } }, ...config }, env: { RUNS: runsFile, ...env } },
      workers,
    )
    const sids = new Map<string, string>()
    for (const sid of SIDS) {
      const { headers } = await ask({ port: station.port, path: '/who', headers: { cookie: `sid=${sid}` } })
      sids.set(String(headers['x-worker']), sid)
    }
    return new Fleet(station, sids, runsFile)
  }

  async foreign(): Promise<Foreign> {
    const client = new RawClient(this.station.port)
    client.socket.setNoDelay(true)
    client.say('GET /who HTTP/1.1\r\nHost: x\r\n\r\n')
    await within('the acceptor', client.hears('"encrypted"'))
    const acceptor = /x-worker: (\d+)/i.exec(client.heard)?.[1] ?? ''
    client.heard = ''
    const [owner, sid] = [...this.sids].find(([worker]) => worker !== acceptor) as [string, string]
    return { client, cookie: `sid=${sid}`, acceptor, owner }
  }

  /** What all workers ran and noticed, each line with the worker's id before it. */
  async runs(): Promise<string[]> {
    const text = await readFile(this.#runsFile, 'utf8')
    return text.trimEnd().split('\n')
  }

  async ran(line: string): Promise<void> {
    await until(`the app to note: ${line}`, async () => (await this.runs()).includes(line))
  }

  async pidOf(worker: string): Promise<number> {
    const status = await this.station.status()
    return status?.workers.find(({ id }) => String(id) === worker)?.pid as number
  }
}

/** The JSON at the end of the one answer that was heard. */
export function seenIn(heard: string): Seen {
  return JSON.parse(heard.slice(heard.indexOf('{'), heard.lastIndexOf('}') + 1)) as Seen
}
