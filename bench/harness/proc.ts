import { readdirSync, readFileSync } from 'node:fs'

const TICKS_PER_S = 100
const MB = 1024 * 1024

/** A process and everything it started, itself first. */
export function familyOf(pid: number): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => [Number(name), parentOf(Number(name))] as const)
  const family = [pid]
  for (const member of family) for (const [child, parent] of parents) if (parent === member) family.push(child)
  return family
}

/** CPU time used so far, of these processes that are alive. */
export function cpuMsOf(pids: readonly number[]): number {
  let ticks = 0
  for (const pid of pids) {
    const fields = statOf(pid)
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
  }
  return (ticks / TICKS_PER_S) * 1000
}

/** CPU time of the children of this process that have ended. */
export function cpuMsOfEndedChildren(): number {
  const fields = statOf(process.pid)
  return ((Number(fields[13] ?? 0) + Number(fields[14] ?? 0)) / TICKS_PER_S) * 1000
}

export function residentMbOf(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return (Number(kilobytes) * 1024) / MB
}

export function isAlive(pid: number): boolean {
  const state = statOf(pid)[0]
  return state !== undefined && state !== 'Z'
}

function parentOf(pid: number): number {
  return Number(statOf(pid)[1] ?? -1)
}

/** From the state on; the name before it may hold anything. Empty for a process that is gone. */
function statOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}
