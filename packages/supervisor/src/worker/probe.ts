import type { IncomingMessage, Server as HttpServer } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WorkerMessage } from '../wire/messages.ts'
import { isHttpServer, isTlsServer } from './internals.ts'
import type { Servers } from './servers.ts'

type Probed = Extract<WorkerMessage, { kind: 'probed' }>

const unhealthy = (detail: string): Probed => ({ kind: 'probed', healthy: false, detail })

/**
 * Asks this worker's own HTTP server, through a connection that exists only in memory: the shared port would let any worker answer.
 * 2xx and 3xx are healthy.
 */
export async function probe(servers: Servers, path: string, timeoutMs: number): Promise<Probed> {
  const server = [...servers].find(isHttpServer)
  if (!server) return unhealthy('no HTTP server listens in this worker')
  const [http, { duplexPair }] = await Promise.all([import('node:http'), import('node:stream')])
  const [client, connection] = duplexPair()
  connection.on('close', () => client.destroy()) // Node 22 does not tell the other side
  connect(server as HttpServer, connection)
  const signal = AbortSignal.timeout(timeoutMs)
  return await new Promise<Probed>((resolve) => {
    const request = http.get({ path, signal, host: 'localhost', createConnection: () => client, headers: { 'user-agent': 'stationmaster' } })
    request.on('response', (response) => resolve(verdict(response, path)))
    request.on('error', (error) => resolve(unhealthy(signal.aborted ? `no answer to ${path} within ${timeoutMs} ms` : error.message)))
  }).finally(() => {
    client.destroy()
    connection.destroy()
  })
}

/** https listens to what TLS has unwrapped; the addresses are what apps and loggers look at. */
function connect(server: HttpServer, connection: Duplex): void {
  const isTls = isTlsServer(server)
  connection.on('error', () => {}) // an app that destroys the probe's connection has answered
  Object.assign(connection, { remoteAddress: '127.0.0.1', remotePort: 0, remoteFamily: 'IPv4', encrypted: isTls })
  server.emit(isTls ? 'secureConnection' : 'connection', connection)
}

function verdict(response: IncomingMessage, path: string): Probed {
  response.resume()
  const status = response.statusCode ?? 0
  return { kind: 'probed', healthy: status >= 200 && status < 400, detail: `${path} answered ${status}` }
}
