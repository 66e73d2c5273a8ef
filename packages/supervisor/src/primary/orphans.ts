import { readFile } from 'node:fs/promises'
import { findListeners } from './port-holder.ts'

/** In the environment of every worker: whose it is. */
export const PRIMARY_PID = 'STATIONMASTER_PRIMARY_PID'
/** Only workers start with it: what an app starts does not inherit it. */
const ROLE = 'STATIONMASTER_ROLE'

/**
 * Ends the workers that an earlier supervisor, killed, left on this port or Unix path. A worker whose supervisor is gone ends by itself, but one
 * whose event loop is stuck, or that is stopped, cannot; and it would keep every successor from starting. Resolves with their pids.
 */
export async function endOrphansOn(place: number | string): Promise<number[]> {
  const ended: number[] = []
  for (const pid of await findListeners(place)) {
    if (await isOrphan(pid)) {
      process.kill(pid, 'SIGKILL')
      ended.push(pid)
    }
  }
  return ended
}

/** True if a process is a worker, and its parent is not the supervisor that it was born to. */
async function isOrphan(pid: number): Promise<boolean> {
  const environment = (await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')).split('\0')
  const primaryPid = environment.find((entry) => entry.startsWith(`${PRIMARY_PID}=`))?.slice(PRIMARY_PID.length + 1)
  if (primaryPid === undefined || !environment.some((entry) => entry.startsWith(`${ROLE}=`))) return false
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')
  // The name stands in brackets and may hold anything; state and parent follow it.
  const parentPid = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]
  return parentPid !== undefined && parentPid !== primaryPid
}
