import { chmodSync, rmSync } from 'node:fs'
import http from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Socket } from 'node:net'
import { assumeClient, CLIENT_HEADER } from './client-note.ts'

export interface PrivateServerParts {
  readonly path: string
  readonly secret: string
  onRequest(request: IncomingMessage, response: ServerResponse): void
  onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Called before it listens: it is no server of the app's. */
  ignore(server: Server): void
}

/** Takes what other workers of this fleet forward: on a Unix socket in a folder that only our user may enter. */
export function openPrivateServer({ path, secret, onRequest, onUpgrade, ignore }: PrivateServerParts): void {
  // Time-outs are kept where the client is connected.
  const server = http.createServer({ keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0 })
  const isOurs = (request: IncomingMessage): boolean => {
    const note = request.headers[CLIENT_HEADER]
    delete request.headers[CLIENT_HEADER]
    return assumeClient(request.socket, note, secret)
  }
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (isOurs(request)) onRequest(request, response)
    else response.writeHead(403).end()
  })
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (isOurs(request)) onUpgrade(request, socket, head)
    else socket.destroy()
  })
  ignore(server)
  rmSync(path, { force: true })
  server.listen({ path, exclusive: true })
  server.on('listening', () => chmodSync(path, 0o600))
  server.unref()
}
