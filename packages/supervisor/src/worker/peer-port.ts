import net from 'node:net'
import { builtin } from './builtin.ts'
import { complain } from './complain.ts'
import { TLS_IDENTITY, TLS_TERMS } from './dial.ts'
import { ANYBODY, type Peers } from './peers.ts'
import { keepPrivate } from './servers.ts'

/** A knock is some 50 bytes. What follows right behind it belongs to whoever it is for. */
const LONGEST_KNOCK_BYTES = 128
/** A knock is the first packet of a connection. */
const KNOCK_MS = 5000
/** A worker that is stuck for longer is replaced. */
const HANDSHAKE_MS = 20_000
/** Who has not proved anything yet. Of more, the oldest goes: an honest peer is through in no time. */
const MOST_STRANGERS = 128
const NEW_LINE = 0x0a

export interface PeerPortParts {
  readonly peers: Peers
  readonly workerId: number
  /** Gives a connection to another worker, with what was read behind the knock. */
  give(workerId: number, read: Buffer, socket: net.Socket): void
  /** Over this a peer forwards to us: it has proved that it has the secret. */
  serve(stream: net.Socket): void
}

/** Takes what workers of other replicas forward to this one. */
export interface PeerPort {
  /** A connection whose knock was for us. */
  admit(socket: net.Socket): void
}

/**
 * All workers accept from one port. The first line of a connection, the knock, says which of them it is for and is signed: to strangers the port is closed. As sockets change hands
 * between workers, the one that is meant speaks with the peer itself, first of all the handshake of TLS, and no other worker has any part in it.
 */
export function openPeerPort({ peers, workerId, give, serve }: PeerPortParts): PeerPort {
  const terms = {
    ...TLS_TERMS,
    handshakeTimeout: HANDSHAKE_MS,
    pskCallback: (_: unknown, name: string) => (name === TLS_IDENTITY ? peers.tlsKey : null),
  }
  const guard = builtin('node:tls').createServer(terms as object, (stream) => serve(stream))
  guard.on('tlsClientError', (_error, stream) => stream.destroy())
  const server = net.createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true })
  const admit = (socket: net.Socket): void => {
    Object.defineProperty(socket, 'server', { value: server, configurable: true, writable: true })
    guard.emit('connection', socket)
  }
  readKnocks(server, (socket, knock, read) => {
    const place = peers.knocks.ownerOf(knock)
    if (place?.replica !== peers.tag) return void socket.destroy()
    if (place.workerId !== workerId && place.workerId !== ANYBODY) return give(place.workerId, read, socket)
    socket.unshift(read)
    admit(socket)
  })
  keepPrivate(server)
  server.on('error', (error) => complain('other replicas cannot forward requests to this worker:', error))
  server.listen({ ...peers.listen })
  server.unref()
  return { admit }
}

function readKnocks(server: net.Server, accept: (socket: net.Socket, knock: string, read: Buffer) => void): void {
  const strangers = new Set<net.Socket>()
  server.on('connection', (socket) => {
    const leave = (): void => void socket.destroy()
    // Not before what has arrived meanwhile was looked at.
    const alarm = setTimeout(() => setImmediate(() => strangers.has(socket) && leave()), KNOCK_MS)
    const forget = (): void => {
      clearTimeout(alarm)
      strangers.delete(socket)
    }
    const [oldest] = strangers.size < MOST_STRANGERS ? [] : strangers
    oldest?.destroy()
    strangers.add(socket)
    socket.on('error', () => {}).once('close', forget)
    let read = Buffer.alloc(0)
    socket.on('readable', function look() {
      read = Buffer.concat([read, (socket.read() as Buffer | null) ?? Buffer.alloc(0)])
      const end = read.indexOf(NEW_LINE)
      if (end === -1 && read.length < LONGEST_KNOCK_BYTES && !socket.readableEnded) return
      socket.off('readable', look)
      forget()
      if (end === -1) return leave()
      accept(socket, read.toString('latin1', 0, end), read.subarray(end + 1))
    })
  })
}
