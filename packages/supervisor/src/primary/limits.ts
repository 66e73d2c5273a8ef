import path from 'node:path'
import { type Hierarchies, type Hierarchy, type Version, readText } from './cgroup.ts'

/** A limit and the group that sets it: whoever asks how much of it is used must ask that group. */
export interface Limit {
  readonly amount: number
  readonly version: Version
  readonly folder: string
  /** Where the group stands in its hierarchy, counted from the mount point. */
  readonly depth: number
}

type ReadLimit = (folder: string) => number | null

/** Version 1 says "no limit" with the largest multiple of a page that fits. */
const UNLIMITED_BYTES = 2 ** 60

/** The tightest CPU limit of any group this process is in, in cores; null if there is none. */
export function findCpuLimit({ unified, controllers }: Hierarchies): Limit | null {
  return tightest([...limitsOf(unified, readCpuMax), ...limitsOf(controllers.get('cpu'), readCpuQuota)])
}

/** The tightest memory limit of any group this process is in, in bytes; null if there is none. */
export function findMemoryLimit({ unified, controllers }: Hierarchies): Limit | null {
  return tightest([...limitsOf(unified, readMemoryMax), ...limitsOf(controllers.get('memory'), readMemoryLimit)])
}

function limitsOf(hierarchy: Hierarchy | null | undefined, read: ReadLimit): Limit[] {
  if (!hierarchy) return []
  const { version, folders } = hierarchy
  return folders.flatMap((folder, index): Limit[] => {
    const amount = read(folder)
    return amount === null ? [] : [{ amount, version, folder, depth: folders.length - 1 - index }]
  })
}

const tightest = (limits: readonly Limit[]): Limit | null =>
  limits.reduce<Limit | null>((least, limit) => (least === null || limit.amount < least.amount ? limit : least), null)

/** `50000 100000` or `max 100000`. */
function readCpuMax(folder: string): number | null {
  const [quota, period] = readText(path.join(folder, 'cpu.max')).trim().split(' ')
  return ratio(readCount(quota), readCount(period))
}

/** The quota is -1 if there is none. */
function readCpuQuota(folder: string): number | null {
  return ratio(readCount(readText(path.join(folder, 'cpu.cfs_quota_us'))), readCount(readText(path.join(folder, 'cpu.cfs_period_us'))))
}

function readMemoryMax(folder: string): number | null {
  return readCount(readText(path.join(folder, 'memory.max')))
}

function readMemoryLimit(folder: string): number | null {
  const bytes = readCount(readText(path.join(folder, 'memory.limit_in_bytes')))
  return bytes !== null && bytes < UNLIMITED_BYTES ? bytes : null
}

const ratio = (part: number | null, whole: number | null): number | null => (part === null || whole === null ? null : part / whole)

/** A whole number above 0; anything else is no limit. */
function readCount(text: string | undefined): number | null {
  const trimmed = text?.trim() ?? ''
  return /^\d+$/.test(trimmed) && Number(trimmed) > 0 ? Number(trimmed) : null
}
