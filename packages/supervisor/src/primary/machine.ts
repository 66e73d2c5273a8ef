import os from 'node:os'
import path from 'node:path'
import { readText } from './cgroup.ts'

/** What the machine has, where no control group says less. `root` holds `proc`. */

/** The CPUs this process may run on, by number; null where the system does not tell. */
function readAllowedCpus(root: string): ReadonlySet<number> | null {
  const list = /^Cpus_allowed_list:\s*([\d,-]+)$/m.exec(readText(path.join(root, 'proc/self/status')))?.[1]
  if (list === undefined) return null
  const allowed = new Set<number>()
  for (const range of list.split(',')) {
    const [first = Number.NaN, last = first] = range.split('-').map(Number)
    for (let cpu = first; cpu <= last; cpu++) allowed.add(cpu)
  }
  return allowed.size > 0 ? allowed : null
}

/** Not `os.availableParallelism()` where it can be helped: newer Nodes put the rounded-down quota into it, older ones do not. */
export function readMachineCpus(root: string): number {
  return readAllowedCpus(root)?.size ?? os.availableParallelism()
}

export function readMachineMemory(root: string): number {
  return readKilobytes(readText(path.join(root, 'proc/meminfo')), 'MemTotal') ?? os.totalmem()
}

/** What is in use and could not be given back; null where the system does not tell, since free memory alone says little. */
export function readMachineMemoryUse(root: string): number | null {
  const info = readText(path.join(root, 'proc/meminfo'))
  const [total, available] = [readKilobytes(info, 'MemTotal'), readKilobytes(info, 'MemAvailable')]
  return total === null || available === null ? null : total - available
}

/** Time that the CPUs this process may run on were busy since some moment in the past, in seconds. */
export function readMachineBusyS(root: string): number | null {
  const allowed = readAllowedCpus(root)
  let ticks: number | null = null
  for (const [, cpu, counts] of readText(path.join(root, 'proc/stat')).matchAll(/^cpu(\d+) +(\d[\d ]*)$/gm)) {
    if (allowed !== null && !allowed.has(Number(cpu))) continue
    // Guest time is part of user time already, idle and waiting for a disk are no work.
    const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, steal = 0] = (counts ?? '').split(' ').map(Number)
    ticks = (ticks ?? 0) + user + nice + system + irq + softIrq + steal
  }
  return ticks === null ? busyByNode() : ticks / TICKS_PER_S
}

/** Linux shows 100 ticks a second to programs, whatever the kernel itself uses. */
const TICKS_PER_S = 100

function busyByNode(): number | null {
  const cpus = os.cpus()
  if (cpus.length === 0) return null
  return cpus.reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) / 1000
}

function readKilobytes(info: string, name: string): number | null {
  const digits = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(info)?.[1]
  return digits === undefined ? null : Number(digits) * 1024
}
