import { chmodSync, rmSync } from 'node:fs'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { builtin } from './builtin.ts'
import { assumeClient } from './client-note.ts'
import { complain } from './complain.ts'
import { LONGEST_HEAD_BYTES } from './forward.ts'
import { isGivenOnce } from './about-request.ts'

export interface PrivateServerParts {
  readonly path: string
  readonly secret: string
  /** Gives it to the app's server of that number; false if there is none. */
  pass(serverIndex: number, event: 'request' | 'upgrade', request: IncomingMessage, ...rest: readonly unknown[]): boolean
  /** Called before it listens: it is no server of the app's. */
  ignore(server: Server): void
}

export interface PrivateServer {
  /** Over this a worker of another replica forwards, whose notes are signed with that secret. */
  serve(stream: Socket, noteSecret: string): void
}

/** A note is some 300 bytes. */
const LONGEST_NOTE_BYTES = 1024
const NEW_LINE = 0x0a

/** Takes what other workers of this fleet forward: on a Unix socket in a folder that only our user may enter. */
export function openPrivateServer({ path, secret, pass, ignore }: PrivateServerParts): PrivateServer {
  const serverIndexes = new WeakMap<Socket, number>()
  const server = createServer()
  const serveHttp = takeOver(server, 'connection')
  const serve = (socket: Socket, noteSecret: string): void =>
    readNoteFirst(socket, (note) => {
      const index = assumeClient(socket, note, noteSecret)
      if (index === null) return false
      serverIndexes.set(socket, index)
      serveHttp(socket)
      return true
    })
  server.on('connection', (socket: Socket) => serve(socket, secret))
  const indexOf = ({ socket }: IncomingMessage): number => serverIndexes.get(socket) ?? -1
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    // Whoever forwards waits for this where a second try could do harm. From here on it is ours.
    if (isGivenOnce(request)) response.writeContinue()
    if (!pass(indexOf(request), 'request', request, response)) response.writeHead(404).end()
  })
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (!pass(indexOf(request), 'upgrade', request, socket, head)) socket.destroy()
  })
  server.on('error', (error) => complain('other workers cannot forward requests to this one:', error))
  server.on('listening', () => chmodSync(path, 0o600))
  ignore(server)
  rmSync(path, { force: true })
  server.listen({ path, exclusive: true })
  server.unref()
  return { serve }
}

/** Time-outs and limits are kept where the client is connected; the app's own may be wider than Node's defaults. */
function createServer(): Server {
  const server = builtin('node:http').createServer({
    keepAliveTimeout: 0,
    headersTimeout: 0,
    requestTimeout: 0,
    maxHeaderSize: LONGEST_HEAD_BYTES,
    requireHostHeader: false,
  })
  server.maxHeadersCount = 0
  return server
}

/** What the server itself does with a connection; from now on it does nothing by itself. */
function takeOver(server: Server, event: 'connection'): (socket: Socket) => void {
  const [listener] = server.listeners(event) as [(socket: Socket) => void]
  server.removeAllListeners(event)
  return (socket) => listener.call(server, socket)
}

/** Before a connection is HTTP's its first line is read; a connection without a good one is closed. */
function readNoteFirst(socket: Socket, accept: (note: string) => boolean): void {
  let read = Buffer.alloc(0)
  socket.on('error', () => {})
  socket.on('readable', function look() {
    read = Buffer.concat([read, (socket.read() as Buffer | null) ?? Buffer.alloc(0)])
    const end = read.indexOf(NEW_LINE)
    if (end === -1 && read.length < LONGEST_NOTE_BYTES && !socket.readableEnded) return
    socket.off('readable', look)
    if (end + 1 < read.length && end !== -1) socket.unshift(read.subarray(end + 1))
    if (end === -1 || !accept(read.toString('latin1', 0, end))) socket.destroy()
  })
}
