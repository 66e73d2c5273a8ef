import path from 'node:path'
import { performance } from 'node:perf_hooks'
import type { Capacity, Usage } from '../policy/sample.ts'
import { type Hierarchies, findHierarchies, readText } from './cgroup.ts'
import { type Limit, findCpuLimit, findMemoryLimit } from './limits.ts'
import { readMachineBusyS, readMachineCpus, readMachineMemory, readMachineMemoryUse } from './machine.ts'

/** Limits may be moved while we run, and looking for them costs a dozen files: not at every read, but every so many. */
const READS_BETWEEN_SEARCHES = 30

interface Bounds {
  readonly hierarchies: Hierarchies
  /** Null where the machine itself is the limit. */
  readonly cpu: Limit | null
  readonly memory: Limit | null
  readonly machineCpus: number
  readonly machineMemoryBytes: number
}

/**
 * What this container, or this machine where nothing limits less, has to give: cores (a fraction if a quota says so) and bytes.
 * Never throws: what cannot be read or understood limits nothing.
 *
 * @param root folder that holds `proc` and `sys`; default `/`
 */
export async function readCapacity(root: string = '/'): Promise<Capacity> {
  const bounds = findBounds(root)
  const { cpu, memory } = bounds
  return {
    cpus: cpu?.amount ?? bounds.machineCpus,
    memoryBytes: memory?.amount ?? bounds.machineMemoryBytes,
    source: cpu?.version === 'cgroup2' || memory?.version === 'cgroup2' ? 'cgroup2' : (cpu?.version ?? memory?.version ?? 'host'),
  }
}

/** Reads how much of the capacity is in use, by everybody it was given to. CPU is a mean since the read before, so the first is null. */
export function createUsageReader(root: string = '/'): { read(): Promise<Usage> } {
  let bounds: Bounds | null = null
  let reads = 0
  let last: { readonly busyS: number; readonly of: string; readonly atMs: number } | null = null

  function cpusSinceLast(busyS: number | null, of: string): number | null {
    const atMs = performance.now()
    const before = last
    last = busyS === null ? null : { busyS, of, atMs }
    // A counter of another group, or one that began anew, says nothing about the time between.
    if (busyS === null || before === null || before.of !== of || busyS < before.busyS || atMs <= before.atMs) return null
    return (busyS - before.busyS) / ((atMs - before.atMs) / 1000)
  }

  return {
    async read() {
      if (bounds === null || ++reads % READS_BETWEEN_SEARCHES === 0) bounds = findBounds(root)
      const { cpu, memory, hierarchies } = bounds
      const busyS = cpu ? readGroupBusyS(cpu, hierarchies) : readMachineBusyS(root)
      const memoryBytes = memory ? readGroupMemory(memory) : readMachineMemoryUse(root)
      return { cpus: cpusSinceLast(busyS, cpu?.folder ?? 'machine'), memoryBytes }
    },
  }
}

/** How many processes of this group the kernel has killed for want of memory; null where it does not tell. */
export async function readOomKills(root: string = '/'): Promise<number | null> {
  const { unified, controllers } = findHierarchies(root)
  const files = [
    ...(unified?.folders ?? []).map((folder) => path.join(folder, 'memory.events')),
    ...(controllers.get('memory')?.folders ?? []).map((folder) => path.join(folder, 'memory.oom_control')),
  ]
  for (const file of files) {
    const kills = readField(readText(file), 'oom_kill')
    if (kills !== null) return kills
  }
  return null
}

function findBounds(root: string): Bounds {
  const hierarchies = findHierarchies(root)
  const [cpu, memory] = [findCpuLimit(hierarchies), findMemoryLimit(hierarchies)]
  const [machineCpus, machineMemoryBytes] = [readMachineCpus(root), readMachineMemory(root)]
  return {
    hierarchies,
    cpu: cpu !== null && cpu.amount < machineCpus ? cpu : null,
    memory: memory !== null && memory.amount < machineMemoryBytes ? memory : null,
    machineCpus,
    machineMemoryBytes,
  }
}

function readGroupBusyS(limit: Limit, { controllers }: Hierarchies): number | null {
  if (limit.version === 'cgroup2') {
    const microseconds = readField(readText(path.join(limit.folder, 'cpu.stat')), 'usage_usec')
    return microseconds === null ? null : microseconds / 1e6
  }
  // Version 1 counts in a hierarchy of its own, which is often, but not always, mounted together with the limits.
  const accounts = controllers.get('cpuacct')?.folders ?? []
  const folder = accounts[accounts.length - 1 - limit.depth] ?? limit.folder
  const nanoseconds = readText(path.join(folder, 'cpuacct.usage')).trim()
  return /^\d+$/.test(nanoseconds) ? Number(nanoseconds) / 1e9 : null
}

/** File pages that nobody used lately are given back as soon as somebody needs room: they do not count as used. */
function readGroupMemory({ version, folder }: Limit): number | null {
  const isNew = version === 'cgroup2'
  const current = readText(path.join(folder, isNew ? 'memory.current' : 'memory.usage_in_bytes'))
  if (!/^\d+\s*$/.test(current)) return null
  const inactive = readField(readText(path.join(folder, 'memory.stat')), isNew ? 'inactive_file' : 'total_inactive_file') ?? 0
  return Math.max(0, Number(current) - inactive)
}

function readField(text: string, name: string): number | null {
  const digits = new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]
  return digits === undefined ? null : Number(digits)
}
