import { createProcessReader, PID_REST_MS, type ProcessReader, type Reading } from './process-reader.ts'

export interface Measured {
  /** Share of one core since the measurement before, 0.42; above 1 with worker threads. Null at the first one. */
  readonly cpu: number | null
  readonly memoryBytes: number | null
}

type Workers = readonly { readonly workerId: number; readonly pid: number }[]

export interface Measurer {
  /** A worker that has no process any more is absent from the answer; one that could not be measured has nulls. Never rejects. */
  measure(workers: Workers): Promise<ReadonlyMap<number, Measured>>
  /** The process is gone: a new one that gets its pid begins anew. */
  forget(pid: number): void
  close(): void
}

/** Where there is no /proc a program is asked, and it may hang. */
const LONGEST_MEASUREMENT_MS = 500
/** The system counts CPU time in steps of 10 ms: over a shorter time, the share is noise. */
const SHORTEST_INTERVAL_MS = 100

const UNKNOWN: Measured = { cpu: null, memoryBytes: null }

/**
 * Measures worker processes from outside, so that it also sees those that are too busy to answer.
 *
 * @example
 * const measurer = createMeasurer()
 * const measured = await measurer.measure([{ workerId: 1, pid: 4711 }])
 * measured.get(1)   // { cpu: null, memoryBytes: 48_234_496 }, and { cpu: 0.42, … } the next time
 */
export function createMeasurer(reader: ProcessReader = createProcessReader()): Measurer {
  const histories = createHistories(reader)
  let busy = false
  let closed = false

  async function measureAll(workers: Workers): Promise<ReadonlyMap<number, Measured>> {
    const examined = workers.map((worker) => ({ ...worker, state: histories.examine(worker.pid) }))
    const pids = examined.filter(({ state }) => state === 'askable').map(({ pid }) => pid)
    const readings: Awaited<ReturnType<ProcessReader['read']>> = pids.length > 0 ? await reader.read(pids).catch(() => ({})) : {}
    const measured = new Map<number, Measured>()
    for (const { workerId, pid, state } of examined) {
      if (state !== 'dead') measured.set(workerId, state === 'askable' ? histories.note(pid, readings[pid]) : UNKNOWN)
    }
    histories.tidy()
    return measured
  }

  return {
    async measure(workers) {
      const unknown = new Map(workers.map(({ workerId }) => [workerId, UNKNOWN]))
      if (busy || closed) return unknown
      busy = true
      const all = measureAll(workers)
        .catch(() => unknown)
        .finally(() => {
          busy = false
        })
      return await within(all, LONGEST_MEASUREMENT_MS, unknown)
    },
    forget: (pid) => histories.forget(pid),
    close() {
      // Its files are closed by pidusage itself, soon after the last question; clear() would leave them open for ever.
      closed = true
    },
  }
}

interface History {
  readonly birth: string
  readonly askedAtMs: number
  readonly answered: boolean
  /** CPU time at `atMs`, and the share of a core that came out then. */
  readonly last: { readonly cpuMs: number; readonly atMs: number; readonly cpu: number | null } | null
}

interface Histories {
  /** May this pid be asked for now? The dead and those whose pid is resting may not. */
  examine(pid: number): 'dead' | 'resting' | 'askable'
  note(pid: number, reading: Reading | undefined): Measured
  forget(pid: number): void
  tidy(): void
}

/** What is remembered of each pid, and whose it was. */
function createHistories(reader: ProcessReader): Histories {
  const histories = new Map<number, History>()

  return {
    examine(pid) {
      const birth = reader.birth(pid)
      if (birth === null) return 'dead'
      const nowMs = reader.nowMs()
      const before = histories.get(pid)
      const isOther = before !== undefined && before.birth !== birth
      if (before && (isOther || !before.answered) && nowMs - before.askedAtMs < PID_REST_MS) return 'resting'
      histories.set(pid, { birth, askedAtMs: nowMs, answered: true, last: isOther ? null : (before?.last ?? null) })
      return 'askable'
    },
    note(pid, reading) {
      const before = histories.get(pid)
      if (!before) return UNKNOWN
      if (!reading || !Number.isFinite(reading.ctime) || !(reading.memory >= 0)) {
        histories.set(pid, { ...before, answered: false })
        return UNKNOWN
      }
      const { ctime: cpuMs, memory: memoryBytes } = reading
      const { last } = before
      const atMs = reader.nowMs()
      if (last && atMs - last.atMs < SHORTEST_INTERVAL_MS) return { cpu: last.cpu, memoryBytes }
      const cpu = last && cpuMs >= last.cpuMs ? (cpuMs - last.cpuMs) / (atMs - last.atMs) : null
      histories.set(pid, { ...before, last: { cpuMs, atMs, cpu } })
      return { cpu, memoryBytes }
    },
    forget(pid) {
      const before = histories.get(pid)
      // Who had the pid stays known for a while: the next one must wait.
      if (before) histories.set(pid, { ...before, last: null })
    },
    tidy() {
      for (const [pid, { askedAtMs }] of histories) if (reader.nowMs() - askedAtMs >= PID_REST_MS) histories.delete(pid)
    },
  }
}

async function within<Value>(promise: Promise<Value>, limitMs: number, otherwise: Value): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Value>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), limitMs)
  })
  return await Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
