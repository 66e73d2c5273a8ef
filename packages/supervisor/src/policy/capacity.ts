import type { Capacity, Usage } from './sample.ts'
import type { Trigger } from './settings.ts'

/** Memory above this share of the limit is where a container gets killed, not where one plans to live. */
export const USABLE_MEMORY_SHARE = 0.9

/** What a worker is taken to need before one was measured. */
const SMALLEST_WORKER_BYTES = 48 * 1024 * 1024

/**
 * Of the CPUs, the part that must be free for one more worker to have something to run on: a twentieth, and never more than a quarter of
 * a core, since on a large machine a twentieth would be whole workers.
 */
const SMALLEST_FREE_CPU_SHARE = 0.05
const MOST_FREE_CPUS = 0.25

/** Usage above this, for so long, is a container whose CPU is exhausted. As quick as the surge lane, which it must be able to hold back. */
export function exhaustionTrigger({ cpus }: Capacity): Trigger {
  return { threshold: cpus - Math.min(cpus * SMALLEST_FREE_CPU_SHARE, MOST_FREE_CPUS), forMs: 2000 }
}

export interface Ceiling {
  readonly workers: number
  /** A sentence part that says what is exhausted, with the numbers. Asked for at each tick, read at few. */
  readonly because: () => string
}

export interface CeilingInput {
  readonly capacity: Capacity
  readonly usage: Usage
  readonly oversubscribe: boolean
  /** The size the fleet has or is on its way to. */
  readonly target: number
  /** CPUs in use, the mean over the time in which the container's CPU is exhausted; null while it is not. */
  readonly exhaustedCpus: number | null
  /** Processes that exist now, spares included. */
  readonly processes: number
  /** Resident memory of each process that is known. */
  readonly memoryBytes: readonly number[]
}

/**
 * How many workers the container carries: one for each core (or part of one), as many as its memory holds, and no more than there are
 * once its CPU is used up, by whomever. The tightest of the three tells why.
 */
export function ceilingOf(input: CeilingInput): Ceiling {
  const byMemory = memoryCeiling(input)
  if (input.oversubscribe) return byMemory
  return [byMemory, coreCeiling(input), exhaustionCeiling(input)].reduce((tightest, each) => (each.workers <= tightest.workers ? each : tightest))
}

function coreCeiling({ capacity }: CeilingInput): Ceiling {
  const cores = Math.max(1, Math.ceil(capacity.cpus))
  return { workers: cores, because: () => `${formatCpus(capacity.cpus)} (${capacity.source}) carry ${cores} ${workersWord(cores)}` }
}

function exhaustionCeiling({ capacity, target, exhaustedCpus }: CeilingInput): Ceiling {
  if (exhaustedCpus === null) return { workers: Number.POSITIVE_INFINITY, because: () => 'CPU is to be had' }
  return { workers: target, because: () => `${round(exhaustedCpus)} of ${formatCpus(capacity.cpus)} (${capacity.source}) are used` }
}

function memoryCeiling(input: CeilingInput): Ceiling {
  const used = input.usage.memoryBytes
  if (used === null || !Number.isFinite(used)) return { workers: Number.POSITIVE_INFINITY, because: () => 'memory is not known' }
  const each = bytesPerWorker(input.memoryBytes)
  const room = input.capacity.memoryBytes * USABLE_MEMORY_SHARE - used
  const workers = Math.max(1, input.processes + Math.floor(room / each))
  const because = (): string => `${megabytes(used)} of ${megabytes(input.capacity.memoryBytes)} memory are used and a worker takes ${megabytes(each)}`
  return { workers, because }
}

/** What one more worker will take, judged by those that are there. */
export function bytesPerWorker(memoryBytes: readonly number[]): number {
  return Math.max(SMALLEST_WORKER_BYTES, mean(memoryBytes))
}

const mean = (values: readonly number[]): number => (values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length)
const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`
const round = (cpus: number): number => Math.round(cpus * 100) / 100
const formatCpus = (cpus: number): string => `${round(cpus)} ${cpus === 1 ? 'CPU' : 'CPUs'}`
const workersWord = (count: number): string => (count === 1 ? 'worker' : 'workers')
