import type { Server } from 'node:net'
import type { Duplex } from 'node:stream'
import type { WorkerMessage } from '../wire/messages.ts'
import type { Channel } from './channel.ts'
import { complain } from './complain.ts'
import { isHttp2Server, isHttpServer, isTlsServer } from './internals.ts'
import type { Servers } from './servers.ts'

type Probed = Extract<WorkerMessage, { kind: 'probed' }>
type Ask = (client: Duplex, question: { readonly path: string; readonly isTls: boolean; readonly signal: AbortSignal }) => Promise<number>

const unhealthy = (detail: string): Probed => ({ kind: 'probed', healthy: false, detail })

/** Sends what became of it. */
export function tellProbe(channel: Channel, servers: Servers, { path, timeoutMs }: { readonly path: string; readonly timeoutMs: number }): void {
  probe(servers, path, timeoutMs)
    .catch((error: unknown) => unhealthy(String(error)))
    .then((probed) => channel.send(probed))
    .catch((error: unknown) => complain('the result of a probe could not be sent:', error))
}

/**
 * Asks this worker's own HTTP server, through a connection that exists only in memory: the shared port would let any worker answer.
 * 2xx and 3xx are healthy.
 */
async function probe(servers: Servers, path: string, timeoutMs: number): Promise<Probed> {
  const server = [...servers].find((each) => isHttpServer(each) || isHttp2Server(each))
  if (!server) return unhealthy('no HTTP server listens in this worker')
  const { duplexPair } = await import('node:stream')
  const [client, connection] = duplexPair()
  connection.on('close', () => client.destroy()) // Node 22 does not tell the other side
  const isTls = isTlsServer(server)
  connect(server, connection, isTls)
  const signal = AbortSignal.timeout(timeoutMs)
  const ask = isHttp2Server(server) ? askHttp2 : askHttp1
  try {
    const status = await ask(client, { path, isTls, signal })
    return { kind: 'probed', healthy: status >= 200 && status < 400, detail: `${path} answered ${status}` }
  } catch (error) {
    return unhealthy(signal.aborted ? `no answer to ${path} within ${timeoutMs} ms` : (error as Error).message)
  } finally {
    client.destroy()
    connection.destroy()
  }
}

/** TLS servers listen to what TLS has unwrapped, and HTTP/2 was agreed on there; the addresses are what apps and loggers look at. */
function connect(server: Server, connection: Duplex, isTls: boolean): void {
  connection.on('error', () => {}) // an app that destroys the probe's connection has answered
  const agreed = isTls && isHttp2Server(server) ? { alpnProtocol: 'h2' } : {}
  Object.assign(connection, { remoteAddress: '127.0.0.1', remotePort: 0, remoteFamily: 'IPv4', encrypted: isTls, ...agreed })
  server.emit(isTls ? 'secureConnection' : 'connection', connection)
}

const askHttp1: Ask = async (client, { path, signal }) => {
  const http = await import('node:http')
  return await new Promise((resolve, reject) => {
    const request = http.get({ path, signal, host: 'localhost', createConnection: () => client, headers: { 'user-agent': 'stationmaster' } })
    request.on('response', (response) => resolve(response.resume().statusCode ?? 0))
    request.on('error', reject)
  })
}

const askHttp2: Ask = async (client, { path, isTls, signal }) => {
  const http2 = await import('node:http2')
  const session = http2.connect(isTls ? 'https://localhost' : 'http://localhost', { createConnection: () => client })
  try {
    return await new Promise((resolve, reject) => {
      session.on('error', reject)
      const stream = session.request({ ':path': path, 'user-agent': 'stationmaster' }, { signal })
      stream.on('response', (headers) => resolve(headers[':status'] ?? 0))
      stream.on('error', reject)
      stream.on('close', () => reject(new Error('the stream was closed without an answer')))
      stream.resume()
    })
  } finally {
    session.destroy()
  }
}
