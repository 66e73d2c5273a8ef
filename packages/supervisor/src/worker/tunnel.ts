import type { IncomingMessage } from 'node:http'
import net from 'node:net'
import type { Duplex } from 'node:stream'
import { CLIENT_HEADER, describeClient } from './client-note.ts'
import { headOf } from './request-head.ts'

/** Carries an upgraded connection to another worker byte by byte, for connections that cannot change hands. */
export function tunnel(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  way: { readonly socketPath: string; readonly secret: string; readonly server: number },
): void {
  const out = net.connect(way.socketPath)
  const end = (): void => {
    out.destroy()
    socket.destroy()
  }
  out.on('error', end).on('close', end)
  socket.on('error', end).on('close', end)
  out.once('connect', () => {
    out.write(headOf(request, [CLIENT_HEADER, describeClient(request.socket, way.server, way.secret)]), 'latin1')
    if (head.length > 0) out.write(head)
    socket.pipe(out)
    out.pipe(socket)
  })
}
