import { lstat } from 'node:fs/promises'
import net, { type Server } from 'node:net'
import type { Logger } from '../primary/ports.ts'
import { listenOnSocketFile } from './socket-file.ts'

/** A look costs nothing to speak of, and nobody should be without the control of a fleet for longer. */
const LOOK_MS = 2000

/**
 * As `listenOnSocketFile`, and for as long as it is not released: a socket file that somebody has removed, such as a cleaner of temporary
 * folders or `git clean`, is made anew. One that somebody has put in its place is theirs.
 */
export async function keepSocketFile(server: Server, file: string, log: Logger): Promise<{ release(): Promise<void> }> {
  let place = await listenOnSocketFile(server, file)
  let door: Server | null = null
  let looking: Promise<void> | null = null
  let failure = ''

  async function look(): Promise<void> {
    if (!(await isGone(file))) return
    const next = doorTo(server)
    try {
      place = await listenOnSocketFile(next, file)
      door?.close()
      door = next
      failure = ''
      log.warn(`the control socket ${file} was removed by somebody; it was made anew`)
    } catch (error) {
      const sentence = error instanceof Error ? error.message : String(error)
      if (sentence !== failure) log.warn(`the control socket ${file} was removed by somebody: ${sentence}`)
      failure = sentence
    }
  }

  const timer = setInterval(() => {
    looking ??= look().finally(() => {
      looking = null
    })
  }, LOOK_MS)
  timer.unref()
  return {
    async release() {
      clearInterval(timer)
      await looking
      await place.release()
      door?.close()
    },
  }
}

/** A server listens once in its life; what comes in at this second door is its own all the same. */
function doorTo(server: Server): Server {
  const door = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => server.emit('connection', socket))
  door.maxConnections = server.maxConnections
  return door
}

async function isGone(file: string): Promise<boolean> {
  return await lstat(file).then(
    () => false,
    ({ code }: NodeJS.ErrnoException) => code === 'ENOENT',
  )
}
