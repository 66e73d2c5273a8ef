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

type ReadLimit = (folder: string) => Promise<number | null>

/** Version 1 says "no limit" with the largest multiple of a page that fits. */
const UNLIMITED_BYTES = 2 ** 60

/** The tightest CPU limit of any group this process is in, in cores; null if there is none. */
export async function findCpuLimit({ unified, controllers }: Hierarchies): Promise<Limit | null> {
  return tightest([...(await limitsOf(unified, readCpuMax)), ...(await limitsOf(controllers.get('cpu'), readCpuQuota))])
}

/** The tightest memory limit of any group this process is in, in bytes; null if there is none. */
export async function findMemoryLimit({ unified, controllers }: Hierarchies): Promise<Limit | null> {
  const limits = [...(await limitsOf(unified, readMemoryMax)), ...(await limitsOf(controllers.get('memory'), readMemoryLimit))]
  return tightest(limits)
}

async function limitsOf(hierarchy: Hierarchy | null | undefined, read: ReadLimit): Promise<Limit[]> {
  if (!hierarchy) return []
  const { version, folders } = hierarchy
  const limits = await Promise.all(
    folders.map(async (folder, index): Promise<Limit[]> => {
      const amount = await read(folder)
      return amount === null ? [] : [{ amount, version, folder, depth: folders.length - 1 - index }]
    }),
  )
  return limits.flat()
}

const tightest = (limits: readonly Limit[]): Limit | null =>
  limits.reduce<Limit | null>((least, limit) => (least === null || limit.amount < least.amount ? limit : least), null)

/** `50000 100000` or `max 100000`. */
async function readCpuMax(folder: string): Promise<number | null> {
  const [quota, period] = (await readText(path.join(folder, 'cpu.max'))).trim().split(' ')
  return ratio(readCount(quota), readCount(period))
}

/** The quota is -1 if there is none. */
async function readCpuQuota(folder: string): Promise<number | null> {
  const [quota, period] = await Promise.all([readText(path.join(folder, 'cpu.cfs_quota_us')), readText(path.join(folder, 'cpu.cfs_period_us'))])
  return ratio(readCount(quota), readCount(period))
}

async function readMemoryMax(folder: string): Promise<number | null> {
  return readCount(await readText(path.join(folder, 'memory.max')))
}

async function readMemoryLimit(folder: string): Promise<number | null> {
  const bytes = readCount(await readText(path.join(folder, 'memory.limit_in_bytes')))
  return bytes !== null && bytes < UNLIMITED_BYTES ? bytes : null
}

const ratio = (part: number | null, whole: number | null): number | null => (part === null || whole === null ? null : part / whole)

/** A whole number above 0; anything else is no limit. */
function readCount(text: string | undefined): number | null {
  const trimmed = text?.trim() ?? ''
  return /^\d+$/.test(trimmed) && Number(trimmed) > 0 ? Number(trimmed) : null
}
