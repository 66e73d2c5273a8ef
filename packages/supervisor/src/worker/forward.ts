import type { Agent, ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { builtin } from './builtin.ts'
import { CLIENT_HEADER, describeClient } from './client-note.ts'
import { hasBody } from './has-body.ts'

/** Headers that are about one connection only; each of the two connections has its own. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'upgrade', 'te', 'trailer', CLIENT_HEADER])

const AGENT = Symbol('stationmaster.forward')
type Client = Socket & { [AGENT]?: Agent }

export interface Destination {
  /** The owner's private Unix socket. */
  readonly socketPath: string
  readonly secret: string
  /** Which of the app's HTTP servers is meant. */
  readonly server: number
  /** The owner is not there, and nothing was answered yet. */
  onGone(): void
}

/**
 * Hands a request to another worker and its response back, streaming both ways; pipes hold back whoever is faster. Each client connection gets a kept-alive
 * connection of its own, so what the owner sees of the client is true for as long as it lasts.
 */
export function forwardRequest(request: IncomingMessage, response: ServerResponse, destination: Destination): void {
  const { socketPath, secret, server, onGone } = destination
  const headers = [...passedHeaders(request.rawHeaders, request.headers.connection), CLIENT_HEADER, describeClient(request.socket, server, secret)]
  const out = builtin('node:http').request({
    socketPath,
    method: request.method,
    path: request.url,
    headers,
    setHost: false,
    agent: agentOf(request.socket),
  })
  out.on('response', (answer) => passAnswer(answer, response))
  out.on('error', (error: NodeJS.ErrnoException) => {
    if (response.headersSent) return void response.destroy()
    if (isStale(out, error, request)) return forwardRequest(request, response, destination)
    request.unpipe(out)
    onGone()
  })
  response.on('close', () => {
    if (!response.writableFinished) out.destroy()
  })
  if (hasBody(request)) request.pipe(out)
  else out.end()
}

/** The owner closed a kept connection at the very moment it was used again. Without a body the request can be said once more. */
function isStale(out: ClientRequest, { code }: NodeJS.ErrnoException, { method }: IncomingMessage): boolean {
  return out.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE') && (method === 'GET' || method === 'HEAD')
}

function passAnswer(answer: IncomingMessage, response: ServerResponse): void {
  if (response.destroyed) return void answer.destroy()
  response.sendDate = false
  const headers = passedHeaders(answer.rawHeaders, answer.headers.connection).flatMap((text, index, all) => {
    // Chunks are made anew where they are needed.
    return index % 2 === 1 || text.toLowerCase() === 'transfer-encoding' ? [] : [text, all[index + 1] as string]
  })
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers as never)
  answer.on('error', () => response.destroy())
  answer.pipe(response)
}

/** Names and values in turns, as they came. */
function passedHeaders(rawHeaders: readonly string[], connection: string | undefined): string[] {
  const named = new Set(
    (connection ?? '')
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  )
  const passed: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    const lower = name.toLowerCase()
    if (!HOP_BY_HOP.has(lower) && !named.has(lower)) passed.push(name, rawHeaders[i + 1] as string)
  }
  return passed
}

function agentOf(client: Client): Agent {
  const known = client[AGENT]
  if (known) return known
  const agent = new (builtin('node:http').Agent)({ keepAlive: true })
  client[AGENT] = agent
  client.once('close', () => agent.destroy())
  return agent
}
