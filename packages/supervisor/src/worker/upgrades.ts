import type { IncomingMessage } from 'node:http'
import type { Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { isHttpServer } from './internals.ts'
import type { SocketInside } from './internals.ts'
import type { Traffic } from './traffic.ts'

/**
 * Notices connections that leave HTTP: upgrades (WebSockets) and CONNECT. Node offers them to an app only if it listens for them, so our
 * listener comes and goes with the app's first and last.
 */
export function watchUpgrades(server: Server, traffic: Traffic): void {
  if (!isHttpServer(server)) return
  for (const event of ['upgrade', 'connect']) accompany(server, event, (request, socket) => noteUpgrade(request, socket, traffic))
}

type UpgradeListener = (request: IncomingMessage, socket: Duplex) => void

function accompany(server: Server, event: string, ours: UpgradeListener): void {
  const appListens = (): boolean => server.listeners(event).some((listener) => listener !== ours)
  const weListen = (): boolean => server.listeners(event).includes(ours)

  if (appListens()) server.prependListener(event, ours)
  server.on('newListener', (name: string, listener: unknown) => {
    if (name === event && listener !== ours && !weListen()) server.prependListener(event, ours)
  })
  server.on('removeListener', (name: string) => {
    if (name === event && weListen() && !appListens()) server.removeListener(event, ours)
  })
}

function noteUpgrade(request: IncomingMessage, socket: Duplex, traffic: Traffic): void {
  const connection = traffic.connectionOf(socket as SocketInside)
  if (!connection) return
  const isWebSocket = request.method !== 'CONNECT' && request.headers.upgrade?.toLowerCase() === 'websocket'
  connection.upgrade = { isWebSocket, bytesWritten: connection.stream.bytesWritten, atMs: performance.now() }
}
