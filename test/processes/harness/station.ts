import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, stat, writeFile } from 'node:fs/promises'
import http from 'node:http'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ControlClient, connectControl } from '../../../packages/supervisor/src/operator/control-client.ts'
import type { Note } from '../../../packages/supervisor/src/fleet/note.ts'
import type { Status, WorkerStatus } from '../../../packages/supervisor/src/fleet/status.ts'
import { until, within } from './until.ts'

export const CLI: string = fileURLToPath(new URL('../../../packages/supervisor/dist/cli.js', import.meta.url))

export interface StationOptions {
  /** A fixture, copied as the app's entry, so that another one can be deployed over it. */
  readonly app?: string
  /** Or an entry that stays where it is, for apps that import packages. */
  readonly entry?: string
  readonly config?: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, string>>
  readonly flags?: readonly string[]
  /** Changes the command line, such as to start it through a shell. */
  readonly through?: (command: readonly string[]) => readonly string[]
  /** In a process group of its own, as a terminal starts it. */
  readonly detached?: boolean
}

export interface Place {
  readonly folder: string
  readonly port: number
  readonly mark: Readonly<Record<string, string>>
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

type NoteLine = { readonly level: string; readonly msg: string; readonly event?: Note['kind'] } & Readonly<Record<string, unknown>>

/** Quick where the defaults are patient, and indifferent to load, so that only the test changes the fleet. */
const TEST_CONFIG = {
  workers: { min: 2, max: 4, oversubscribe: true, spares: 0, bootTimeout: '10s' },
  scaling: { surge: false, up: { cpu: false, eventLoopDelay: false, eventLoopUtilization: false, p95: false, queue: false, memory: false } },
  restart: { backoff: '10ms', backoffMax: '50ms', intensity: 5 },
  drain: { timeout: '5s' },
  sampling: { interval: '100ms' },
}

/** A supervisor that was started as a user starts it, by its command, and everything that can be seen of it from outside. */
export class Station {
  readonly place: Place
  readonly entry: string
  readonly socket: string
  /** Its TMPDIR, which it leaves as it found it: empty. */
  readonly temporaryFolder: string
  readonly control: ControlClient
  readonly process: ChildProcess
  readonly exited: Promise<Ended>
  stdout = ''
  stderr = ''
  ended: Ended | null = null

  constructor(options: StationOptions, place: Place, entry: string, configFile: string) {
    this.place = place
    this.entry = entry
    this.socket = path.join(place.folder, 'control.sock')
    this.temporaryFolder = temporaryFolderOf(place)
    this.control = connectControl(this.socket)
    const given = [process.execPath, CLI, 'start', entry, '--config', configFile, '--control', this.socket, '--log', 'json', ...(options.flags ?? [])]
    const [file, ...args] = (options.through ?? ((command) => command))(given) as [string, ...string[]]
    const env = { ...process.env, PORT: String(place.port), NODE_OPTIONS: '', TMPDIR: this.temporaryFolder, ...place.mark, ...options.env }
    this.process = spawn(file, args, { cwd: place.folder, env, stdio: ['ignore', 'pipe', 'pipe'], detached: options.detached ?? false })
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.exited = once(this.process, 'close').then(([code, signal]) => {
      this.ended = { code, signal }
      return this.ended
    })
  }

  get pid(): number {
    return this.process.pid as number
  }

  get port(): number {
    return this.place.port
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal)
  }

  /** Null while nobody answers. */
  async status(): Promise<Status | null> {
    return await this.control.status().catch(() => null)
  }

  async until<Value>(what: string, look: (status: Status) => Value | undefined | null | false, boundMs?: number): Promise<Value> {
    let last: Status | null = null
    const see = async (): Promise<Value | undefined | null | false> => {
      last = await this.status()
      if (last) return look(last)
      if (this.ended) throw new Error(`The supervisor ended before: ${what}. ${this.told()}`)
      return null
    }
    return await until(what, see, { ...(boundMs === undefined ? {} : { boundMs }), instead: () => `${show(last)}\n${this.told()}` })
  }

  /** Exactly these many workers, all of them ready. */
  async running(workers: number): Promise<readonly WorkerStatus[]> {
    return await this.until(
      `${workers} workers, all ready`,
      (status) => status.state === 'running' && status.fleet.ready === workers && status.workers.length === workers && status.workers,
    )
  }

  /** The log lines so far. What workers write to stdout is not among them. */
  notes<Kind extends Note['kind']>(kind?: Kind): NoteLine[] {
    const lines = this.stdout.split('\n').flatMap((line): NoteLine[] => {
      try {
        const value = JSON.parse(line) as NoteLine
        return typeof value === 'object' && typeof value?.msg === 'string' ? [value] : []
      } catch {
        return []
      }
    })
    return kind ? lines.filter((line) => line.event === kind) : lines
  }

  async noted(kind: Note['kind'], fits: (line: NoteLine) => boolean = () => true): Promise<NoteLine> {
    const look = (): NoteLine | undefined => {
      const wasEnded = this.ended !== null
      const line = this.notes(kind).find(fits)
      if (!line && wasEnded) throw new Error(`The supervisor ended without a log line of ${kind}. ${this.told()}`)
      return line
    }
    return await until(`a log line of ${kind}`, look, { instead: () => this.told() })
  }

  async ends(boundMs = 15_000): Promise<Ended> {
    return await within('the end of the supervisor', this.exited, { boundMs, instead: () => this.told() })
  }

  /** Puts another app in the place of the one that runs: what the next worker starts. */
  async deploy(app: string): Promise<void> {
    await copyFile(fixture(app), this.entry)
  }

  /** One request on a connection of its own; answers with the body. */
  async get(url = '/', options: http.RequestOptions = {}): Promise<string> {
    return await ask({ host: '127.0.0.1', port: this.port, path: url, ...options })
  }

  told(): string {
    return `Exit: ${JSON.stringify(this.ended)}. It said:\n${this.stdout.slice(-3000)}\n${this.stderr.slice(-3000)}`
  }
}

export async function openStation(options: StationOptions, place: Place): Promise<Station> {
  await mkdir(temporaryFolderOf(place), { recursive: true })
  const entry = options.entry ?? path.join(place.folder, 'app.mjs')
  if (options.app !== undefined) await copyFile(fixture(options.app), entry)
  await stat(entry)
  const configFile = path.join(place.folder, 'stationmaster.config.json')
  await writeFile(configFile, JSON.stringify(merged(TEST_CONFIG, options.config ?? {}), null, 2))
  return new Station(options, place, entry, configFile)
}

const temporaryFolderOf = (place: Place): string => path.join(place.folder, 'tmp')

export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${path.extname(name) === '' ? `${name}.mjs` : name}`, import.meta.url))
}

export async function ask(options: http.RequestOptions): Promise<string> {
  return await new Promise((resolve, reject) => {
    const request = http.get({ agent: false, timeout: 20_000, ...options }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      response.on('end', () => resolve(body)).on('error', reject)
    })
    request.on('timeout', () => request.destroy(new Error('no answer within 20 s'))).on('error', reject)
  })
}

type Tree = Readonly<Record<string, unknown>>

function merged(base: Tree, over: Tree): Tree {
  const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value)
  const entries = Object.entries(over).map(([key, value]) => [key, isTree(value) && isTree(base[key]) ? merged(base[key], value) : value])
  return { ...base, ...(Object.fromEntries(entries) as Tree) }
}

function show(status: Status | null): string {
  if (!status) return 'no status'
  const workers = status.workers.map(({ id, pid, state, generation }) => `${id} (pid ${pid}, ${state}, generation ${generation})`)
  return `${status.state}, target ${status.fleet.target}, ready ${status.fleet.ready}: ${workers.join(', ')}`
}
