import type { Control, Logger } from '../../packages/supervisor/src/primary/ports.ts'
import type { TimedNote } from '../../packages/supervisor/src/fleet/note.ts'
import type { Status, WorkerStatus } from '../../packages/supervisor/src/fleet/status.ts'
import type { Decision } from '../../packages/supervisor/src/policy/decision.ts'

export const worker: WorkerStatus = {
  id: 1,
  pid: 42,
  slot: 0,
  generation: 1,
  state: 'ready',
  uptimeS: 9.1,
  cpu: 0.42,
  memoryBytes: 82e6,
  memory: 0.3,
  eventLoopUtilization: 0.4,
  eventLoopDelayP99Ms: 12.1,
  queue: 3,
  requestsPerSecond: 900,
  p95Ms: 14,
  connections: 12,
  sockets: 7,
  database: null,
  signals: { jobs: 4 },
}

export const decision: Decision = {
  atMs: Date.UTC(2026, 0, 1, 12, 3, 1),
  from: 2,
  to: 2,
  wanted: 3,
  lane: 'window',
  reason: 'cpu 85 % above 70 % for 60 s',
  signals: { cpu: { value: 0.85, threshold: 0.7, heldForMs: 60_000 } },
  heldBackBy: ['cooldown.up: 30 s of 60 s left'],
  wouldChange: '30 s more of the same',
  replicas: null,
}

export const status: Status = {
  version: 1,
  state: 'running',
  mode: 'auto',
  pid: process.pid,
  uptimeS: 3725,
  generation: 1,
  workers: [worker, { ...worker, id: 2, slot: 1, state: 'booting', cpu: null, memoryBytes: null, memory: null, queue: null, p95Ms: null }],
  fleet: {
    min: 1,
    max: 10,
    target: 2,
    ready: 1,
    spares: 0,
    cpu: 0.42,
    memory: 0.3,
    queue: 3,
    p95Ms: 14,
    queueTimeP95Ms: null,
    eventLoopUtilization: 0.4,
    eventLoopDelayP99Ms: 12.1,
    requestsPerSecond: 900,
    requestsTotal: 12_345,
    signals: { jobs: 4 },
  },
  capacity: { cpus: 2, memoryBytes: 1e9, source: 'cgroup2' },
  database: null,
  replica: { id: 'here', peers: 0, coordination: 'alone' },
  restarts: { total: 0, lastExit: null },
  replicas: null,
  lastDecision: decision,
}

/** Answers like a supervisor of two workers and keeps what it was asked. */
export class FakeControl implements Control {
  readonly asked: string[] = []
  readonly listeners = new Set<(note: TimedNote) => void>()
  current: Status = status
  recorded: readonly string[] = ['{"kind":"start","target":1}', '{"kind":"woken","nowMs":2}']
  standingDecision: Decision | null = decision
  /** Answers to give instead of success, by what is asked. */
  refuse: Error | null = null
  /** A request that changes the fleet waits for this. */
  hold: Promise<unknown> = Promise.resolve()
  #watching: (() => void)[] = []

  status(): Status {
    return this.current
  }

  decisions(last: number): readonly Decision[] {
    return [{ ...decision, atMs: decision.atMs - 1000, reason: 'the older one' }, decision].slice(-last)
  }

  standing(): Decision | null {
    return this.standingDecision
  }

  recording(): Iterable<string> {
    return this.recorded
  }

  scale(workers: number | 'auto'): Promise<string> {
    return this.#ask(`scale ${workers}`, `${workers} workers are ready`)
  }

  reload(): Promise<string> {
    return this.#ask('reload', 'generation 2 is serving: 2 workers were replaced')
  }

  setBudget(connections: number): Promise<string> {
    return this.#ask(`budget ${connections}`, `the budget is ${connections} connections now`)
  }

  drain(workerId: number): Promise<string> {
    return this.#ask(`drain ${workerId}`, `worker ${workerId} is draining`)
  }

  subscribe(listener: (note: TimedNote) => void): () => void {
    this.listeners.add(listener)
    this.#changed()
    return () => {
      this.listeners.delete(listener)
      this.#changed()
    }
  }

  tell(note: TimedNote): void {
    for (const listener of this.listeners) listener(note)
  }

  /** Resolves when so many listen. */
  async hasListeners(count: number): Promise<void> {
    while (this.listeners.size !== count) await new Promise<void>((resolve) => this.#watching.push(resolve))
  }

  #changed(): void {
    for (const resolve of this.#watching.splice(0)) resolve()
  }

  async #ask(what: string, answer: string): Promise<string> {
    this.asked.push(what)
    this.#changed()
    await this.hold
    if (this.refuse) throw this.refuse
    return answer
  }

  /** Resolves when something was asked that begins so. */
  async wasAsked(what: string): Promise<void> {
    while (!this.asked.some((asked) => asked.startsWith(what))) await new Promise<void>((resolve) => this.#watching.push(resolve))
  }
}

/** A logger that keeps what it is told. */
export function keepingLogger(): Logger & { readonly lines: string[] } {
  const lines: string[] = []
  const keep = (message: string, fields?: Record<string, unknown>) => void lines.push(`${message} ${JSON.stringify(fields ?? {})}`)
  return { lines, debug: keep, info: keep, warn: keep, error: keep }
}
