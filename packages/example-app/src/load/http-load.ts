import { Agent } from 'node:http'
import { reasonOf, send, workerOf } from './http-client.ts'
import { loopbackUrl, maxClients, maxRatePerSecond, maxSeconds, within } from './limits.ts'
import { startPace } from './pace.ts'
import type { Stats } from './tally.ts'
import { TallySet } from './tally-set.ts'

export type HttpLoadOptions = {
  readonly url: string
  /** Clients with a keep-alive connection each, and so the most requests that are on their way at once. They take turns. */
  readonly connections: number
  /**
   * A number: so many requests a second start, whether or not earlier ones were answered; latency counts from the moment a request was
   * due, so a server that stalls cannot hide it. `null`: each connection sends its next request when it has the answer.
   */
  readonly ratePerSecond: number | null
  readonly path?: string | (() => string)
  readonly headers?: Readonly<Record<string, string>>
  /**
   * After about so many requests a client leaves and a new one comes [never]. A worker that was added gets traffic only from new
   * connections, as behind a real proxy, whose connections come and go.
   */
  readonly requestsPerConnection?: number
  readonly timeoutMs?: number
  readonly seconds?: number
  readonly onAnswer?: (answer: { readonly worker: string | undefined; readonly status: number; readonly latencyMs: number }) => void
}

export type HttpLoad = {
  /** Since the start. */
  stats(): Stats
  /** What happened since the last call of `lap`, or the start: for a live view. */
  lap(): Stats
  /** Begins a count of its own, for one phase of a longer run; the returned function ends it. */
  window(): () => Stats
  setRate(ratePerSecond: number | null): void
  /** Sends no more, waits for what is on its way, and closes the connections. */
  stop(): Promise<Stats>
}

/** Requests that are due while every connection is busy wait in a line of this length; the next one fails as "backlog". */
const maxBacklog = 10_000
/** A refused connection must not turn the closed loop into a busy loop. */
const pauseAfterFailureMs = 20

export function startHttpLoad(options: HttpLoadOptions): HttpLoad {
  const base = loopbackUrl(options.url)
  const connections = within('connections', options.connections, 1, maxClients)
  const timeoutMs = options.timeoutMs ?? 30_000
  // One agent for all would reuse the connection that became free last, and so leave most of them, and the workers behind them, idle.
  const clients = Array.from({ length: connections }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
  const resting = [...clients]
  const counts = new TallySet()
  let rate = checkedRate(options.ratePerSecond)
  let stopped = false
  const backlog: number[] = []
  const idle = Promise.withResolvers<void>()

  const headers = (): Readonly<Record<string, string>> => {
    const leaves = options.requestsPerConnection !== undefined && Math.random() * options.requestsPerConnection < 1
    return { ...options.headers, ...(leaves && { Connection: 'close' }) }
  }
  const one = async (agent: Agent, dueAt: number): Promise<void> => {
    const path = typeof options.path === 'function' ? options.path() : (options.path ?? '/')
    try {
      const answer = await send({ agent, url: new URL(path, base), timeoutMs, headers: headers() })
      const latencyMs = performance.now() - dueAt
      const worker = workerOf(answer.headers)
      counts.each((tally) => (answer.status < 400 ? tally.ok(latencyMs, worker) : tally.failed(String(answer.status))))
      options.onAnswer?.({ worker, status: answer.status, latencyMs })
    } catch (error) {
      counts.each((tally) => tally.failed(reasonOf(error)))
      await new Promise((resolve) => setTimeout(resolve, pauseAfterFailureMs))
    }
    resting.push(agent)
    goOn()
  }
  const startWith = (dueAt: number): void => {
    const agent = resting.shift()
    if (agent) void one(agent, dueAt)
    else backlog.push(dueAt)
  }
  const start = (dueAt: number): void => {
    counts.each((tally) => tally.sent())
    if (backlog.length < maxBacklog) startWith(dueAt)
    else counts.each((tally) => tally.failed('backlog'))
  }
  const goOn = (): void => {
    const dueAt = backlog.shift()
    if (dueAt !== undefined) startWith(dueAt)
    else if (!stopped && rate === null) start(performance.now())
    else if (stopped && resting.length === connections) idle.resolve()
  }
  const fill = (): void => {
    while (!stopped && rate === null && resting.length > 0) start(performance.now())
  }

  const pace = startPace(rate ?? 0, start)
  fill()
  const stop = async (): Promise<Stats> => {
    stopped = true
    clearTimeout(limit)
    pace.stop()
    // What is still in line was due and never sent.
    for (const _ of backlog.splice(0)) counts.each((tally) => tally.failed('never sent'))
    if (resting.length === connections) idle.resolve()
    await idle.promise
    for (const client of clients) client.destroy()
    return counts.total()
  }
  const limit = setTimeout(() => void stop(), within('seconds', options.seconds ?? maxSeconds, 0, maxSeconds) * 1_000)
  return {
    stats: () => counts.total(),
    lap: () => counts.lap(),
    window: () => counts.window(),
    setRate: (value) => {
      rate = checkedRate(value)
      pace.setRate(rate ?? 0)
      fill()
    },
    stop,
  }
}

function checkedRate(rate: number | null): number | null {
  return rate === null ? null : within('ratePerSecond', rate, 0, maxRatePerSecond)
}
