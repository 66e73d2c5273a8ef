import type { IncomingMessage } from 'node:http'
import type { Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { isHttpServer } from './internals.ts'
import type { SocketInside } from './internals.ts'
import type { Traffic } from './traffic.ts'

/**
 * Notices upgrades (WebSockets) on an HTTP server. Node offers upgrades to an app only if it listens for them, so our listener comes and
 * goes with the app's first and last.
 */
export function watchUpgrades(server: Server, traffic: Traffic): void {
  if (!isHttpServer(server)) return
  const note = (request: IncomingMessage, socket: Duplex): void => noteUpgrade(request, socket, traffic)
  const appListens = (): boolean => server.listeners('upgrade').some((listener) => listener !== note)
  const weListen = (): boolean => server.listeners('upgrade').includes(note)

  if (appListens()) server.prependListener('upgrade', note)
  server.on('newListener', (event: string, listener: unknown) => {
    if (event === 'upgrade' && listener !== note && !weListen()) server.prependListener('upgrade', note)
  })
  server.on('removeListener', (event: string) => {
    if (event === 'upgrade' && weListen() && !appListens()) server.removeListener('upgrade', note)
  })
}

function noteUpgrade(request: IncomingMessage, socket: Duplex, traffic: Traffic): void {
  const connection = traffic.connectionOf(socket as SocketInside)
  if (!connection) return
  const isWebSocket = request.headers.upgrade?.toLowerCase() === 'websocket'
  connection.upgrade = { isWebSocket, bytesWritten: connection.stream.bytesWritten }
}
