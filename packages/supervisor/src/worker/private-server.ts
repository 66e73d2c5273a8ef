import { chmodSync, rmSync } from 'node:fs'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { builtin } from './builtin.ts'
import { assumeClient, CLIENT_HEADER } from './client-note.ts'

export interface PrivateServerParts {
  readonly path: string
  readonly secret: string
  /** Gives it to the app's server of that number; false if there is none. */
  pass(serverIndex: number, event: 'request' | 'upgrade', request: IncomingMessage, ...rest: readonly unknown[]): boolean
  /** Called before it listens: it is no server of the app's. */
  ignore(server: Server): void
}

/** Takes what other workers of this fleet forward: on a Unix socket in a folder that only our user may enter. */
export function openPrivateServer({ path, secret, pass, ignore }: PrivateServerParts): void {
  // Time-outs are kept where the client is connected.
  const server = builtin('node:http').createServer({ keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0 })
  const serverIndexOf = (request: IncomingMessage): number | null => {
    const note = request.headers[CLIENT_HEADER]
    delete request.headers[CLIENT_HEADER]
    return assumeClient(request.socket, note, secret)
  }
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const serverIndex = serverIndexOf(request)
    if (serverIndex === null) response.writeHead(403).end()
    else if (!pass(serverIndex, 'request', request, response)) response.writeHead(404).end()
  })
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const serverIndex = serverIndexOf(request)
    if (serverIndex === null || !pass(serverIndex, 'upgrade', request, socket, head)) socket.destroy()
  })
  ignore(server)
  rmSync(path, { force: true })
  server.listen({ path, exclusive: true })
  server.on('listening', () => chmodSync(path, 0o600))
  server.unref()
}
