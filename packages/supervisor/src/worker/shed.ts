import { activityOf } from './connection.ts'
import type { Connection } from './connection.ts'
import { type EngineSockets, streamOf } from './engine-sockets.ts'
import { closeWebSocket } from './goodbye.ts'
import type { SocketInside } from './internals.ts'
import type { Traffic } from './traffic.ts'
import { dismiss } from './traffic.ts'

/** Lets so many clients go to other workers: keep-alive ones, or WebSocket clients that have been here for `lastingMs`. */
export function letGo(
  traffic: Traffic,
  engines: EngineSockets,
  { connections, lastingMs }: { readonly connections: number; readonly lastingMs: number | null },
): void {
  if (lastingMs === null) shed(traffic, connections)
  else shedLasting(traffic, engines, connections, lastingMs)
}

/** Lets so many keep-alive connections go after their next response, the busiest first: they carry the load that is to move. */
function shed(traffic: Traffic, count: number): void {
  const all = [...traffic.connections]
  const movable = all.filter(isMovable).toSorted((one, other) => other.requests - one.requests)
  // Others are not to go in place of those that belong here.
  const followers = all.filter(({ hasFollowed }) => hasFollowed).length
  for (const connection of movable.slice(0, Math.max(0, count - followers))) dismiss(connection)
}

function isMovable(connection: Connection): boolean {
  if (connection.leaving || connection.isForwarded || connection.hasFollowed || connection.requests === 0) return false
  const activity = activityOf(connection)
  return activity === 'quiet' || activity === 'answering'
}

/**
 * Tells so many WebSocket clients to connect again, those first that have been here longest, and of Socket.IO's only those with no
 * acknowledgement under way. Who has moved is new where it comes to, so nobody is asked twice within `lastingMs`.
 */
function shedLasting(traffic: Traffic, engines: EngineSockets, count: number, lastingMs: number): void {
  const beforeMs = performance.now() - lastingMs
  const goodbyes = goodbyesOf(traffic, engines)
  const ofEngines = engines.streams()
  const movable = [...traffic.connections].filter((connection) => {
    const { upgrade, leaving, stream } = connection
    return upgrade?.isWebSocket && upgrade.atMs <= beforeMs && !leaving && (goodbyes.has(connection) || !ofEngines.has(stream))
  })
  for (const connection of movable.slice(0, count)) {
    connection.leaving = true
    const sayGoodbye = goodbyes.get(connection) ?? ((): unknown => closeWebSocket(connection))
    sayGoodbye()
  }
}

/** How to tell each Socket.IO client that can be told now. */
function goodbyesOf(traffic: Traffic, engines: EngineSockets): Map<Connection, () => unknown> {
  const goodbyes = new Map<Connection, () => unknown>()
  for (const socket of engines.atRest()) {
    const stream = streamOf(socket)
    const connection = stream && traffic.connectionOf(stream as SocketInside)
    if (connection) goodbyes.set(connection, () => engines.close(socket))
  }
  return goodbyes
}
