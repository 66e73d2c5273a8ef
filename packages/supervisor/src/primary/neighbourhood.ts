import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** Where the workers of one fleet reach each other: a folder only our user may enter, and a secret only they know. */
export interface Neighbourhood {
  readonly secret: string
  readonly socketFolder: string
  /** This worker is gone, and so is its door. */
  forget(workerId: number): void
  close(): void
}

/** Null if no such folder can be made; then each worker is on its own. */
export function openNeighbourhood(): Neighbourhood | null {
  let socketFolder: string
  try {
    socketFolder = mkdtempSync(path.join(tmpdir(), 'stationmaster-'))
  } catch {
    return null
  }
  return {
    secret: randomBytes(32).toString('base64url'),
    socketFolder,
    forget: (workerId) => rmSync(path.join(socketFolder, `${workerId}.sock`), { force: true }),
    close: () => rmSync(socketFolder, { recursive: true, force: true }),
  }
}
