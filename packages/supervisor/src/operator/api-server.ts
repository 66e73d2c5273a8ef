import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Control, Logger } from '../primary/ports.ts'
import { type Answer, errorAnswer, internalError, refusal, send } from './answer.ts'
import { type EventStreams, createEventStreams } from './event-stream.ts'
import { readJsonBody } from './request-body.ts'
import type { Route } from './routes.ts'
import { http } from './node-http.ts'

/** A request that is not complete by then comes from a client that is broken, or wants us to be. */
const REQUEST_TIMEOUT_MS = 2000
const TIMEOUT_CHECK_MS = 250
/** A client that asks again soon keeps its connection; one that does not must not occupy one of the few. */
const KEEP_ALIVE_MS = 2000
/** Requests that wait for the fleet are answered when it stops; the rest has had its chance by then. */
const CLOSE_GRACE_MS = 500

export interface ApiOptions {
  readonly routes: readonly Route[]
  readonly control: Control
  readonly log: Logger
  readonly maxConnections: number
  /** A refusal for requests that must not even be looked at. */
  readonly guard?: (request: IncomingMessage) => Answer | null
}

export interface Api {
  readonly server: Server
  close(): Promise<void>
}

/** An HTTP server for a table of routes, not yet listening. */
export function createApi(options: ApiOptions): Api {
  const streams = createEventStreams(options.control)
  const limits = {
    requestTimeout: REQUEST_TIMEOUT_MS,
    headersTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: 8 * 1024,
  }
  const server = http.createServer(limits, (request, response) => {
    respond(options, streams, request, response).catch((error: unknown) => {
      if (request.destroyed && !request.complete) return
      options.log.error('a request to the control API failed', { error: String(error), url: request.url?.slice(0, 200) })
      send(response, internalError())
    })
  })
  server.maxConnections = options.maxConnections
  server.on('clientError', refuseBrokenRequest)
  return {
    server,
    async close() {
      if (!server.listening) return
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      streams.close()
      server.closeIdleConnections()
      const grace = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS)
      await closed
      clearTimeout(grace)
    },
  }
}

async function respond(options: ApiOptions, streams: EventStreams, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const refused = options.guard?.(request)
  if (refused) return send(response, refused)
  const url = URL.parse(request.url ?? '', 'http://localhost')
  const matching = url ? options.routes.filter((route) => route.path.test(url.pathname)) : []
  if (!url || matching.length === 0) return send(response, refusal(404, `There is no ${shortPath(request.url)} here.`))
  const route = matching.find(({ method }) => method === request.method)
  if (!route) {
    const allowed = matching.map(({ method }) => method).join(', ')
    return send(response, refusal(405, `${request.method} is not allowed on ${shortPath(request.url)}; use ${allowed}.`, { Allow: allowed }))
  }
  if (route.answer === 'stream') return streams.open(response)
  const body = request.method === 'POST' ? await readJsonBody(request) : { ok: true as const, value: undefined }
  if (!body.ok) return send(response, body.answer)
  try {
    const params = route.path.exec(url.pathname)?.slice(1) ?? []
    send(response, await route.answer({ params, query: url.searchParams, accept: request.headers.accept ?? '', body: body.value }, options.control))
  } catch (error) {
    const answer = errorAnswer(error)
    if (!answer) throw error
    send(response, answer)
  }
}

const BROKEN: Readonly<Record<string, readonly [string, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', `The request was not complete within ${REQUEST_TIMEOUT_MS} ms.`],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'The head of the request is too large.'],
}

function refuseBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const [status, message] = BROKEN[error.code ?? ''] ?? ['400 Bad Request', 'This is not a valid HTTP request.']
  const { body } = refusal(400, message)
  const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`
  socket.end(head + body, () => socket.destroy())
}

const shortPath = (url: string | undefined): string => (url ?? '').slice(0, 100)
