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

/** What the kernel takes as the path of a Unix socket, without the last zero (104 on macOS); longer ones are cut there. */
const LONGEST_PATH_BYTES = 103
/** `/9007199254740991.sock`: worker ids only grow. */
const LONGEST_NAME_BYTES = 22

/** Null if no such folder can be made; then each worker is on its own, and `warn` is told. */
export function openNeighbourhood(warn: (sentence: string) => void): Neighbourhood | null {
  let socketFolder: string
  try {
    socketFolder = mkdtempSync(path.join(tmpdir(), 'stationmaster-'))
  } catch (error) {
    warn(`${NOT_STICKY} No folder could be made in ${tmpdir()} (${(error as Error).message}). Let TMPDIR name one that can be written to.`)
    return null
  }
  if (Buffer.byteLength(socketFolder) + LONGEST_NAME_BYTES > LONGEST_PATH_BYTES) {
    rmSync(socketFolder, { recursive: true, force: true })
    warn(`${NOT_STICKY} ${tmpdir()} is too long for the path of a Unix socket. Let TMPDIR name a folder with a short path, such as /tmp.`)
    return null
  }
  return {
    secret: randomBytes(32).toString('base64url'),
    socketFolder,
    forget: (workerId) => rmSync(path.join(socketFolder, `${workerId}.sock`), { force: true }),
    close: () => rmSync(socketFolder, { recursive: true, force: true }),
  }
}

const NOT_STICKY = 'Workers cannot reach each other, so clients do not stay with their worker.'
