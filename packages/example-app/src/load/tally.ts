import { Histogram } from './histogram.ts'

/** What a load generator saw. Every count is exact; latencies are known to within 3 %. */
export type Stats = {
  readonly seconds: number
  readonly sent: number
  readonly ok: number
  readonly failed: number
  readonly inFlight: number
  readonly perSecond: number
  readonly latency: {
    readonly p50Ms: number | null
    readonly p95Ms: number | null
    readonly p99Ms: number | null
    readonly maxMs: number | null
  }
  /** Answers by the `X-Worker` header. */
  readonly workers: Readonly<Record<string, number>>
  /** When each worker answered for the first time, in ms since the epoch. */
  readonly firstAnswerAtMs: Readonly<Record<string, number>>
  /** Failures by status or error code. */
  readonly failures: Readonly<Record<string, number>>
}

/** Keys come from the server under test, which may be wrong in any way: beyond this many they share one entry. */
const maxKeys = 500

export class Tally {
  readonly #startedAt = performance.now()
  readonly #latency = new Histogram()
  readonly #workers = new Map<string, number>()
  readonly #firstAnswerAtMs = new Map<string, number>()
  readonly #failures = new Map<string, number>()
  #sent = 0
  #ok = 0
  #failed = 0

  sent(): void {
    this.#sent++
  }

  ok(latencyMs: number, worker: string | undefined): void {
    this.#ok++
    this.#latency.record(latencyMs)
    if (worker === undefined) return
    count(this.#workers, worker)
    if (!this.#firstAnswerAtMs.has(worker) && this.#firstAnswerAtMs.size < maxKeys) this.#firstAnswerAtMs.set(worker, Date.now())
  }

  failed(why: string): void {
    this.#failed++
    count(this.#failures, why)
  }

  stats(): Stats {
    const seconds = (performance.now() - this.#startedAt) / 1_000
    return {
      seconds,
      sent: this.#sent,
      ok: this.#ok,
      failed: this.#failed,
      // A window may see the answer of a request that was sent before it began.
      inFlight: Math.max(0, this.#sent - this.#ok - this.#failed),
      perSecond: seconds > 0 ? this.#ok / seconds : 0,
      latency: {
        p50Ms: this.#latency.quantileMs(0.5),
        p95Ms: this.#latency.quantileMs(0.95),
        p99Ms: this.#latency.quantileMs(0.99),
        maxMs: this.#latency.maxMs,
      },
      workers: Object.fromEntries(this.#workers),
      firstAnswerAtMs: Object.fromEntries(this.#firstAnswerAtMs),
      failures: Object.fromEntries(this.#failures),
    }
  }
}

export function count(map: Map<string, number>, key: string): void {
  const known = map.has(key) || map.size < maxKeys ? key : 'others'
  map.set(known, (map.get(known) ?? 0) + 1)
}
