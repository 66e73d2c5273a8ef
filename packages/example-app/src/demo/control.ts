import { request } from 'node:http'

const timeoutMs = 3_000

/** The part of `GET /v1/status` that the demo shows. What is not known yet is `null`. */
export type WorkerStatus = {
  readonly id: number
  readonly state: 'booting' | 'spare' | 'ready' | 'draining' | 'killing'
  readonly cpu: number | null
  readonly eventLoopUtilization: number | null
  readonly eventLoopDelayP99Ms: number | null
  readonly queue: number | null
  readonly requestsPerSecond: number | null
  readonly p95Ms: number | null
}

export type Decision = {
  readonly atMs: number
  readonly from: number
  readonly to: number
  readonly reason: string
}

export type Status = {
  readonly state: string
  readonly mode: string
  readonly workers: readonly WorkerStatus[]
  readonly fleet: {
    readonly target: number
    readonly ready: number
    readonly spares: number
    readonly cpu: number | null
    readonly queue: number | null
    readonly p95Ms: number | null
  }
  readonly lastDecision: Decision | null
}

/** Talks to a supervisor over its control socket, as the command line does. */
export class Control {
  readonly #socketPath: string

  constructor(socketPath: string) {
    this.#socketPath = socketPath
  }

  /** `null` while there is nobody to talk to. */
  async status(): Promise<Status | null> {
    return (await this.#call('GET', '/v1/status').catch(() => null)) as Status | null
  }

  async decisions(last: number): Promise<readonly Decision[]> {
    const answer = (await this.#call('GET', `/v1/decisions?last=${last}`).catch(() => [])) as Decision[] | { decisions?: Decision[] }
    return Array.isArray(answer) ? answer : (answer.decisions ?? [])
  }

  async scale(workers: number | 'auto'): Promise<void> {
    await this.#call('POST', '/v1/scale', { workers })
  }

  #call(method: string, path: string, body?: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const headers = body ? { 'Content-Type': 'application/json' } : {}
      const message = request({ socketPath: this.#socketPath, method, path, headers, timeout: timeoutMs })
      message.once('timeout', () => message.destroy(new Error(`the supervisor did not answer within ${timeoutMs} ms`)))
      message.once('error', reject)
      message.once('response', (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.once('error', reject)
        response.once('end', () => {
          if ((response.statusCode ?? 500) >= 400) return reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`))
          resolve(JSON.parse(text))
        })
      })
      message.end(body && JSON.stringify(body))
    })
  }
}
