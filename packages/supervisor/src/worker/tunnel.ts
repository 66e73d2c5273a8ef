import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type Destination, wasRead } from './forward.ts'
import { headOf } from './request-head.ts'

/** Carries an upgraded connection to another worker byte by byte, for connections that cannot change hands. */
export function tunnel(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  { way, describe, onGone, onAnswer }: Pick<Destination, 'way' | 'describe' | 'onGone'> & { onAnswer(): void },
): void {
  // Each direction ends by itself: what was said before the end still arrives.
  const out = way.open({ allowHalfOpen: true })
  let isTaken = false
  out.on('error', (error: NodeJS.ErrnoException) => {
    if (isTaken && (out.bytesRead > 0 || wasRead(error))) return void socket.destroy()
    out.unpipe(socket)
    socket.off('error', endBoth).off('close', endBoth)
    onGone()
  })
  function endBoth(): void {
    out.destroy()
    socket.destroy()
  }
  socket.on('error', endBoth).on('close', endBoth)
  out.once(way.taken, () => {
    isTaken = true
    // In one piece: an owner that refuses by the head alone closes at once, and a second write would then fail before its answer is read.
    out.write(Buffer.concat([Buffer.from(`${describe()}\n${headOf(request)}`, 'latin1'), head]))
    out.pipe(socket)
    // What the client says next waits for the owner's first word: until then the connection can still be somebody else's.
    out.once('data', () => {
      onAnswer()
      socket.pipe(out)
    })
  })
}
