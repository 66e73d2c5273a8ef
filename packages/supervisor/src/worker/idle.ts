import type { Server } from 'node:net'
import type { Connection } from './connection.ts'
import type { ConnectionsList } from './internals.ts'

/**
 * A look at one instant: tells which of the quiet connections have not even a part of a request here. Only the HTTP parser knows, and only
 * its server can ask it (`closeIdleConnections()` does); one question per server answers for all its connections.
 */
export function lookForIdle(): (connection: Connection) => boolean {
  const idleByServer = new Map<Server, ReadonlySet<unknown> | null>()
  return ({ stream, requests }) => {
    if (stream.bytesRead === 0) return true
    const server = stream.server
    if (!server) return requests > 0
    let idle = idleByServer.get(server)
    if (idle === undefined) idleByServer.set(server, (idle = idleParsersOf(server)))
    return idle ? idle.has(stream.parser) : requests > 0
  }
}

/** True only if the parser says so. */
export function isBetweenRequests({ stream }: Connection): boolean {
  return stream.server !== undefined && (idleParsersOf(stream.server)?.has(stream.parser) ?? false)
}

/** Null for a server that never listened: its parsers are not listed anywhere. */
function idleParsersOf(server: Server): ReadonlySet<unknown> | null {
  const key = Object.getOwnPropertySymbols(server).find((symbol) => symbol.description === 'http.server.connections')
  const list = key && (server as unknown as Record<symbol, ConnectionsList | undefined>)[key]
  return list ? new Set(list.idle()) : null
}
