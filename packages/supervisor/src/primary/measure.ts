import { readFile } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import pidusage from 'pidusage'

export interface Measured {
  /** Share of one core since the measurement before, 0.42; above 1 with worker threads. Null at the first one. */
  readonly cpu: number | null
  readonly memoryBytes: number | null
}

export interface Measurer {
  /** A worker that has no process any more is absent from the answer; one that could not be measured has nulls. Never rejects. */
  measure(workers: readonly { readonly workerId: number; readonly pid: number }[]): Promise<ReadonlyMap<number, Measured>>
  /** The process is gone: a new one that gets its pid begins anew. */
  forget(pid: number): void
  close(): void
}

interface Reading {
  /** CPU time in milliseconds. */
  readonly ctime: number
  /** Resident bytes. */
  readonly memory: number
}

/** What a measurer needs of the system; tests bring their own. */
export interface ProcessReader {
  /** By pid; what is not there is not known. */
  read(pids: number[]): Promise<Readonly<Record<string, Reading | undefined>>>
  /** Tells two processes with the same pid apart; null if there is no such process, '' where the system does not tell. */
  birth(pid: number): Promise<string | null>
  nowMs(): number
}

interface Known {
  readonly birth: string
  readonly askedAtMs: number
  readonly answered: boolean
  /** CPU time at `atMs`, and the share of a core that came out then. */
  readonly last: { readonly cpuMs: number; readonly atMs: number; readonly cpu: number | null } | null
}

/** pidusage keeps the file of a process open for as long as it is asked for; not asked for this long, it closes it. */
const HISTORY_MS = 3000
/** Until then, and it looks every half of HISTORY_MS, it answers for a dead process when a new one has the same pid. Hence a rest. */
const PID_REST_MS = HISTORY_MS * 2
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
export function createMeasurer(reader: ProcessReader = systemReader()): Measurer {
  const known = new Map<number, Known>()
  let busy = false
  let closed = false

  /** Which of the pids may be asked for now. The dead and those whose pid is resting may not. */
  async function examine(pid: number): Promise<'dead' | 'resting' | 'askable'> {
    const birth = await reader.birth(pid)
    if (birth === null) return 'dead'
    const nowMs = reader.nowMs()
    const before = known.get(pid)
    const isOther = before !== undefined && before.birth !== birth
    if (before && (isOther || !before.answered) && nowMs - before.askedAtMs < PID_REST_MS) return 'resting'
    known.set(pid, { birth, askedAtMs: nowMs, answered: true, last: isOther ? null : (before?.last ?? null) })
    return 'askable'
  }

  function note(pid: number, usage: Reading | undefined): Measured {
    const before = known.get(pid)
    if (!before) return UNKNOWN
    if (!usage || !Number.isFinite(usage.ctime) || !(usage.memory >= 0)) {
      known.set(pid, { ...before, answered: false })
      return UNKNOWN
    }
    const atMs = reader.nowMs()
    const { last } = before
    if (last && atMs - last.atMs < SHORTEST_INTERVAL_MS) return { cpu: last.cpu, memoryBytes: usage.memory }
    const cpu = last && usage.ctime >= last.cpuMs ? (usage.ctime - last.cpuMs) / (atMs - last.atMs) : null
    known.set(pid, { ...before, last: { cpuMs: usage.ctime, atMs, cpu } })
    return { cpu, memoryBytes: usage.memory }
  }

  async function measureAll(workers: readonly { readonly workerId: number; readonly pid: number }[]): Promise<Map<number, Measured>> {
    const examined = await Promise.all(workers.map(async (worker) => ({ ...worker, state: await examine(worker.pid) })))
    const pids = examined.filter(({ state }) => state === 'askable').map(({ pid }) => pid)
    const usages: Awaited<ReturnType<ProcessReader['read']>> = pids.length > 0 ? await reader.read(pids).catch(() => ({})) : {}
    const measured = new Map<number, Measured>()
    for (const { workerId, pid, state } of examined) {
      if (state === 'askable') measured.set(workerId, note(pid, usages[pid]))
      else if (state === 'resting') measured.set(workerId, UNKNOWN)
    }
    return measured
  }

  /** Pids that no worker has any more. Kept for a while after their death, since the next owner must wait. */
  function tidy(): void {
    for (const [pid, { askedAtMs }] of known) if (reader.nowMs() - askedAtMs >= PID_REST_MS) known.delete(pid)
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
          tidy()
        })
      return await within(all, LONGEST_MEASUREMENT_MS, unknown)
    },
    forget(pid) {
      const before = known.get(pid)
      if (before) known.set(pid, { ...before, last: null })
    },
    close() {
      // Its files are closed by pidusage itself, soon after the last question; clear() would leave them open for ever.
      closed = true
      known.clear()
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

function systemReader(): ProcessReader {
  // pidusage complains on stderr where there is no `getconf`, as in images without a shell; its guess is right all the same.
  process.env['PIDUSAGE_SILENT'] ??= '1'
  return {
    read: (pids) => pidusage(pids, { usePs: false, maxage: HISTORY_MS }),
    birth: readBirth,
    nowMs: () => performance.now(),
  }
}

async function readBirth(pid: number): Promise<string | null> {
  if (process.platform !== 'linux') return isAlive(pid) ? '' : null
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The name stands in brackets and may hold anything, brackets and spaces included.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, startTime] = [fields[0], fields[19]]
  return startTime === undefined || state === 'Z' || state === 'X' ? null : startTime
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
