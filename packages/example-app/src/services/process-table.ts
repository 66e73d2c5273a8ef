import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

export type ProcessRow = { readonly pid: number; readonly parent: number; readonly command: string }

/** All processes of this machine, from /proc where there is one (slim images have no `ps`), else from `ps`. */
export function listProcesses(): ProcessRow[] {
  return process.platform === 'linux' ? fromProc() : fromPs()
}

/** A process that ended but was not collected by its parent counts as dead: containers often have nobody who collects. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || statOf(pid).state !== 'Z'
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** A process and all its descendants, leaves last. */
export function familyOf(pid: number, rows: readonly ProcessRow[] = listProcesses()): number[] {
  return [pid, ...rows.filter((row) => row.parent === pid).flatMap((row) => familyOf(row.pid, rows))]
}

export function kill(pid: number, signal: NodeJS.Signals): void {
  // 0 and below are no process: the system would take them for a group, and 0 for our own.
  if (pid <= 0) return
  try {
    process.kill(pid, signal)
  } catch {
    // already gone
  }
}

function fromProc(): ProcessRow[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const pid = Number(name)
        const { state, parent } = statOf(pid)
        if (state === 'Z') return []
        return [{ pid, parent, command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ') }]
      } catch {
        return [] // ended while we looked
      }
    })
}

function statOf(pid: number): { readonly state: string | undefined; readonly parent: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name in parentheses may hold anything, so count from its end.
  const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { state, parent: Number(parent) }
}

function fromPs(): ProcessRow[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,command='], { encoding: 'utf8' }).split('\n')
  return lines.flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line)
    return match ? [{ pid: Number(match[1]), parent: Number(match[2]), command: match[3] ?? '' }] : []
  })
}
