import { once } from 'node:events'
import { type Stats } from 'node:fs'
import { link, lstat, mkdir, rename, unlink } from 'node:fs/promises'
import type { Server } from 'node:net'
import path from 'node:path'
import { StationmasterError } from '../errors.ts'
import { whoListens } from './who-listens.ts'

/** `sun_path` of Linux holds 108 bytes with its NUL. Node cuts a longer path, silently, and binds somewhere else. */
const MAX_PATH_BYTES = 107

/**
 * Makes a server listen on a Unix socket that nobody but our own user may open, from its first instant. It is bound under a
 * passing name and then linked to its path, for two reasons: the path comes to life only if nothing is there (two supervisors
 * cannot both have it), and libuv, which at close removes the name it bound, whoever owns it by then, never knows this one.
 */
export async function listenOnSocketFile(server: Server, file: string): Promise<{ release(): Promise<void> }> {
  const folder = path.dirname(file)
  const passing = passingName(folder)
  const bytes = Math.max(Buffer.byteLength(file), Buffer.byteLength(passing))
  if (bytes > MAX_PATH_BYTES) throw refused(file, `the path takes ${bytes} bytes and the system allows ${MAX_PATH_BYTES}; choose a shorter one`)
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    throw refused(file, `its folder cannot be made (${error.code}); choose another place`)
  })
  await makeRoom(file)
  await bind(server, passing, file)
  try {
    const ours = await lstat(passing)
    await publish(passing, file)
    return { release: () => removeIfSame(file, ours) }
  } catch (error) {
    await new Promise((resolve) => server.close(resolve))
    throw error
  }
}

/** Nothing there is fine, and so is a socket of ours that nobody answers on any more. All else stays untouched. */
async function makeRoom(file: string): Promise<void> {
  const found = await lstat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw refused(file, `it cannot be looked at (${error.code}); choose another place`)
  })
  if (!found) return
  if (found.isSymbolicLink()) throw refused(file, 'it is a symbolic link; remove it, or choose another path')
  if (!found.isSocket()) throw refused(file, 'something that is no socket is there; remove it, or choose another path')
  if (found.uid !== process.getuid?.()) throw refused(file, `it belongs to user ${found.uid}; remove it, or choose another path`)
  const listener = await whoListens(file)
  if (listener) throw busy(file, listener.pid)
  await removeIfSame(file, found)
}

async function bind(server: Server, passing: string, file: string): Promise<void> {
  const listening = once(server, 'listening')
  // Binding a path happens within this call, so the mask covers nothing else.
  const mask = process.umask(0o177)
  try {
    server.listen(passing)
  } finally {
    process.umask(mask)
  }
  await listening.catch((error: NodeJS.ErrnoException) => {
    throw refused(file, `the system says ${error.code}; choose another place`)
  })
}

async function publish(passing: string, file: string): Promise<void> {
  try {
    await link(passing, file)
    await unlink(passing)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // Somebody was faster in the moment since we looked.
    if (code === 'EEXIST') throw busy(file, null)
    // Some file systems have no links between sockets.
    await rename(passing, file)
  }
}

/**
 * What is removed is first taken aside and looked at again: between a look and a removal somebody faster may have put their own socket
 * there, and it is given back.
 */
async function removeIfSame(file: string, known: Stats): Promise<void> {
  const found = await lstat(file).catch(() => null)
  if (!found || !isSame(found, known)) return
  const aside = passingName(path.dirname(file))
  try {
    await rename(file, aside)
    if (!isSame(await lstat(aside), known)) await link(aside, file)
  } catch {
    // Somebody else removed it, or is there again already.
  }
  await unlink(aside).catch(() => {})
}

const passingName = (folder: string): string => path.join(folder, `.${Math.random().toString(36).slice(2, 8)}`)

/** With the time of its birth, because a number that became free is soon given away again. */
function isSame(a: Stats, b: Stats): boolean {
  return a.ino === b.ino && a.dev === b.dev && a.mtimeMs === b.mtimeMs
}

const refused = (file: string, why: string): StationmasterError =>
  new StationmasterError('SM_OPTION_INVALID', 'option', `The control socket cannot be ${file}: ${why} (control.socket, --control).`)

function busy(file: string, pid: number | null): StationmasterError {
  const who = pid === null ? 'Another supervisor' : `Another supervisor (pid ${pid})`
  const message = `${who} listens on ${file} already. Stop it, or give this one a control socket of its own with --control.`
  return new StationmasterError('SM_CONTROL_BUSY', 'environment', message)
}
