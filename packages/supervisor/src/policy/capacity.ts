import type { Capacity, Usage } from './sample.ts'

/** Memory above this share of the limit is where a container gets killed, not where one plans to live. */
export const USABLE_MEMORY_SHARE = 0.9

/** What a worker is taken to need before one was measured. */
const SMALLEST_WORKER_BYTES = 48 * 1024 * 1024

export interface Ceiling {
  readonly workers: number
  /** A sentence part that says what is exhausted, with the numbers. */
  readonly because: string
}

export interface CeilingInput {
  readonly capacity: Capacity
  readonly usage: Usage
  readonly oversubscribe: boolean
  /** Processes that exist now, spares included. */
  readonly processes: number
  /** Resident memory of each process that is known. */
  readonly memoryBytes: readonly number[]
}

/** How many workers the container carries: one for each core (or part of one), and as many as its memory holds. */
export function ceilingOf(input: CeilingInput): Ceiling {
  const byMemory = memoryCeiling(input)
  const cores = Math.max(1, Math.ceil(input.capacity.cpus))
  if (input.oversubscribe || byMemory.workers < cores) return byMemory
  return { workers: cores, because: `${formatCpus(input.capacity.cpus)} (${input.capacity.source}) carry ${cores} ${workersWord(cores)}` }
}

function memoryCeiling(input: CeilingInput): Ceiling {
  const used = input.usage.memoryBytes
  if (used === null || !Number.isFinite(used)) return { workers: Number.POSITIVE_INFINITY, because: 'memory is not known' }
  const each = bytesPerWorker(input.memoryBytes)
  const room = input.capacity.memoryBytes * USABLE_MEMORY_SHARE - used
  const workers = Math.max(1, input.processes + Math.floor(room / each))
  const because = `${megabytes(used)} of ${megabytes(input.capacity.memoryBytes)} memory are used and a worker takes ${megabytes(each)}`
  return { workers, because }
}

/** What one more worker will take, judged by those that are there. */
export function bytesPerWorker(memoryBytes: readonly number[]): number {
  return Math.max(SMALLEST_WORKER_BYTES, mean(memoryBytes))
}

const mean = (values: readonly number[]): number => (values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length)
const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`
const formatCpus = (cpus: number): string => `${Math.round(cpus * 100) / 100} ${cpus === 1 ? 'CPU' : 'CPUs'}`
const workersWord = (count: number): string => (count === 1 ? 'worker' : 'workers')
