import http from 'node:http'
import { until } from './until.ts'

export type FailureKind = 'refused' | 'reset' | 'timeout' | 'status' | 'other'

export interface Failure {
  readonly kind: FailureKind
  readonly detail: string
  readonly client: Client
  /** The worker that this client's connection belonged to. */
  readonly pid: number | null
}

/** A request that nobody answers is a failure too, and is told apart from a slow one by far. */
const ANSWER_MS = 20_000

const KINDS: Readonly<Record<string, FailureKind>> = { ECONNREFUSED: 'refused', ECONNRESET: 'reset', EPIPE: 'reset', TIMEOUT: 'timeout' }

/** One keep-alive client: sends the next request as soon as the last one is answered. Workers answer with their pid. */
export class Client {
  /** The worker that answered last on the connection that is open now. */
  pid: number | null = null
  inFlight = false
  answered = 0
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  readonly #target: http.RequestOptions

  constructor(target: http.RequestOptions) {
    this.#target = target
  }

  async request(): Promise<Omit<Failure, 'client' | 'pid'> | null> {
    this.inFlight = true
    try {
      const { status, body, closes } = await this.#ask()
      this.answered++
      this.pid = closes ? null : Number(body)
      return status === 200 ? null : { kind: 'status', detail: `${status} ${body}` }
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException
      return { kind: KINDS[code] ?? 'other', detail: `${code} ${message}` }
    } finally {
      this.inFlight = false
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  #ask(): Promise<{ status: number; body: string; closes: boolean }> {
    return new Promise((resolve, reject) => {
      const request = http.get({ host: '127.0.0.1', ...this.#target, agent: this.#agent, timeout: ANSWER_MS }, (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body, closes: response.headers.connection === 'close' }))
        response.on('error', reject)
      })
      request.on('timeout', () => request.destroy(Object.assign(new Error('no answer'), { code: 'TIMEOUT' })))
      request.on('error', reject)
    })
  }
}

/** Keep-alive clients that never pause, and what became of their requests. */
export class Load {
  readonly clients: Client[]
  readonly failures: Failure[] = []
  #stopping = false
  readonly #done: Promise<unknown>

  constructor(target: http.RequestOptions, clients: number) {
    this.clients = Array.from({ length: clients }, () => new Client(target))
    this.#done = Promise.all(this.clients.map((client) => this.#run(client)))
  }

  get answered(): number {
    return this.clients.reduce((sum, client) => sum + client.answered, 0)
  }

  /** The workers that clients are connected to now. */
  get pids(): number[] {
    return [...new Set(this.clients.flatMap((client) => client.pid ?? []))]
  }

  on(pid: number): Client[] {
    return this.clients.filter((client) => client.pid === pid)
  }

  failed(kind?: FailureKind): Failure[] {
    return kind ? this.failures.filter((failure) => failure.kind === kind) : this.failures
  }

  /** What failed, for people: `3 × reset`. */
  summary(): string {
    const counts = Map.groupBy(this.failures, ({ kind, detail }) => `${kind} (${detail})`)
    return [...counts].map(([kind, list]) => `${list.length} × ${kind}`).join(', ') || 'none'
  }

  /** So many more requests were answered from now on. */
  async answers(more: number): Promise<void> {
    const goal = this.answered + more
    await until(`${more} more answers`, () => this.answered >= goal, { instead: () => `${this.answered} of ${goal}; failed: ${this.summary()}` })
  }

  /** Every client has been answered once more, by whichever worker it is with now. */
  async everyoneAnswered(): Promise<void> {
    const before = this.clients.map((client) => client.answered)
    await until('an answer to every client', () => this.clients.every((client, index) => client.answered > (before[index] ?? 0)), {
      instead: () => `${this.answered} answers; failed: ${this.summary()}`,
    })
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#done
    for (const client of this.clients) client.close()
  }

  async #run(client: Client): Promise<void> {
    while (!this.#stopping) {
      const { pid } = client
      const failure = await client.request()
      if (!failure) continue
      if (failure.kind !== 'status') client.pid = null
      this.failures.push({ ...failure, client, pid })
      // Where nobody listens, the next try would only turn this process into a busy loop.
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
