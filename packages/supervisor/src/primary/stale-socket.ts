import { lstat, unlink } from 'node:fs/promises'
import net from 'node:net'
import { findListeners } from './port-holder.ts'

/** What stands where a Unix socket is to be made. */
type Obstacle = 'nothing' | 'stale' | 'in use' | 'no socket'

export async function whatIsAt(path: string): Promise<Obstacle> {
  const found = await lstat(path).catch(() => null)
  if (!found) return 'nothing'
  if (!found.isSocket()) return 'no socket'
  // A socket that is bound has an owner, even before anybody listens on it; only some systems show these.
  if ((await findListeners(path)).length > 0) return 'in use'
  return (await answers(path)) ? 'in use' : 'stale'
}

/** A socket file that nobody listens on was left by a process that died. True if there was one, and it is gone now. */
export async function removeStaleSocket(path: string): Promise<boolean> {
  if ((await whatIsAt(path)) !== 'stale') return false
  return await unlink(path).then(
    () => true,
    () => false,
  )
}

/** Anything but a clear refusal has somebody behind it, such as a full backlog. */
async function answers(path: string): Promise<boolean> {
  return await new Promise<boolean>((resolve) => {
    const probe = net.connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED'))
  })
}
