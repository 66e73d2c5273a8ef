import { performance } from 'node:perf_hooks'
import pidusage from 'pidusage'
import { readText } from './cgroup.ts'

export interface Reading {
  /** CPU time in milliseconds. */
  readonly ctime: number
  /** Resident bytes. */
  readonly memory: number
}

/** What measuring needs of the system; tests bring their own. */
export interface ProcessReader {
  /** By pid; what is not there is not known. */
  read(pids: number[]): Promise<Readonly<Record<string, Reading | undefined>>>
  /** Tells two processes with the same pid apart; null if there is no such process, '' where the system does not tell. */
  birth(pid: number): string | null
  nowMs(): number
}

/** pidusage keeps the file of a process open for as long as it is asked for; not asked for this long, it closes it. */
const HISTORY_MS = 3000

/**
 * Until then, and pidusage looks every half of HISTORY_MS, it answers for a dead process when a new one has the same pid, and being
 * asked keeps the dead one alive in its memory. So a pid that changed hands rests for this long.
 */
export const PID_REST_MS: number = HISTORY_MS * 2

export function createProcessReader(): ProcessReader {
  // pidusage complains on stderr where there is no `getconf`, as in images without a shell; its guess is right all the same.
  process.env['PIDUSAGE_SILENT'] ??= '1'
  return {
    read: (pids) => pidusage(pids, { usePs: false, maxage: HISTORY_MS }),
    birth: readBirth,
    nowMs: () => performance.now(),
  }
}

function readBirth(pid: number): string | null {
  if (process.platform !== 'linux') return isAlive(pid) ? '' : null
  const stat = readText(`/proc/${pid}/stat`)
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
