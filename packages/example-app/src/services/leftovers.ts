import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { familyOf, isAlive, kill, listProcesses } from './process-table.ts'

const prefix = 'stationmaster-postgres-'
const ownerFile = 'owner.pid'
/** A folder without an owner is either being made right now or was left half made. */
const nobodysAfterMs = 60_000

/** A fresh folder that names this process as its owner, so that a later start can tell a leftover from a server in use. */
export function makeFolder(parent: string): string {
  const folder = mkdtempSync(join(parent, prefix))
  writeFileSync(join(folder, ownerFile), String(process.pid))
  return folder
}

/** Ends the servers and removes the folders of owners that are gone: only after a host was killed the hard way. */
export function clearLeftovers(parent: string): void {
  for (const name of readdirSync(parent)) {
    if (name.startsWith(prefix)) clear(join(parent, name))
  }
}

function clear(folder: string): void {
  try {
    const { uid, mtimeMs } = statSync(folder)
    if (uid !== process.getuid?.()) return // somebody else's: neither ours to judge nor to remove
    const owner = ownerOf(folder)
    if (owner === null ? Date.now() - mtimeMs < nobodysAfterMs : isAlive(owner)) return
    killServerIn(folder)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  } catch {
    // Another start cleans at the same time, or the folder is not removable; neither may stop this start.
  }
}

/** The server's command line names its folder, so a reused process id cannot be mistaken for it. */
export function killServerIn(folder: string): void {
  const rows = listProcesses()
  const servers = rows.filter((row) => row.command.includes(`${folder}/`) && row.pid !== process.pid)
  for (const pid of servers.flatMap((row) => familyOf(row.pid, rows))) kill(pid, 'SIGKILL')
}

function ownerOf(folder: string): number | null {
  try {
    return Number(readFileSync(join(folder, ownerFile), 'utf8')) || null
  } catch {
    return null
  }
}
