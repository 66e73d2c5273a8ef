import type { EventEmitter } from 'node:events'
import type { Agent, ClientRequest, IncomingMessage, RequestOptions, ServerResponse } from 'node:http'
import { builtin } from './builtin.ts'
import { connectionOf, hasBody, isGivenOnce, isHttp2 } from './about-request.ts'
import { passAnswer, passInformation } from './answer.ts'
import { repeatHeaders } from './repeat-headers.ts'
import { passTrailers } from './trailers.ts'
import type { Way } from './way.ts'

/** Client and server have agreed on a head already; between workers nothing that they agreed on is too long. */
export const LONGEST_HEAD_BYTES: number = 16 * 1024 * 1024
/** HTTP/1 answers in order, so one connection does, whatever a client pipelines; an HTTP/2 client may have as many streams. */
const MAX_SOCKETS = { http1: 1, http2: 128 }

const NOTHING = Buffer.alloc(0)
const AGENT = Symbol('stationmaster.forward')
type Client = EventEmitter & { [AGENT]?: Agent }

export interface Destination {
  readonly way: Way
  /** Says whose connection it is. */
  describe(): string
  /** What the owner may have begun, `onGone` can begin again without harm. */
  readonly isRepeatable: boolean
  /** The client waits for `100 Continue` before it sends the body. */
  readonly clientWaits: boolean
  /** The owner is not there, and nothing was answered yet. Unless it is repeatable, the body is whole. */
  onGone(): void
}

/**
 * Hands a request to another worker and its response back, streaming both ways; pipes hold back whoever is faster. Each client connection gets a kept-alive
 * connection of its own, so what the owner sees of the client is true for as long as it lasts.
 *
 * A request that must not be done twice, or that has a body, waits until the owner has said that it takes it (`100 Continue`): before that nothing is lost and
 * anybody may take it; after that, only the owner.
 */
export function forwardRequest(request: IncomingMessage, response: ServerResponse, destination: Destination): void {
  const asksFirst = !destination.isRepeatable && isGivenOnce(request)
  const out = say(request, destination)
  if (!out) return destination.onGone()
  let hasBegun = false
  let hasLeft = false
  let isWhole = true
  const sendBody = (): void => {
    if (!hasBody(request)) return void out.end()
    isWhole = false
    passTrailers(request, out)
    request.pipe(out)
  }
  // Only the first is the owner's consent; should the app say it once more, that is its own affair.
  out.once('continue', () => {
    if (destination.clientWaits) response.writeContinue()
    if (!asksFirst) return
    hasBegun = true
    sendBody()
  })
  out.on('information', (information) => {
    if (!hasLeft) passInformation(information, request, response)
  })
  out.on('response', (answer) => {
    hasBegun = true
    if (hasLeft) answer.destroy()
    else passAnswer(answer, request, response)
  })
  out.on('error', (error) => {
    // What has begun to be answered ends with the answer.
    if (hasLeft || response.headersSent) return
    request.unpipe(out)
    const mayHaveBegun = hasBegun || (wasRead(error) && !asksFirst && !destination.isRepeatable)
    const onGone = mayHaveBegun ? () => refuse(response) : destination.onGone
    // A kept connection may have been closed at the very moment it was used again.
    if (out.reusedSocket && isWhole && !hasBegun) forwardRequest(request, response, { ...destination, onGone })
    else onGone()
  })
  response.on('close', () => {
    hasLeft = true
    if (!response.writableEnded || !request.complete) out.destroy()
  })
  if (asksFirst)
    out.write(NOTHING) // the head goes; flushHeaders() would make UTF-8 of it
  else sendBody()
}

/** Null if it cannot be said in HTTP/1 as Node's client allows it. */
function say(request: IncomingMessage, destination: Destination): ClientRequest | null {
  try {
    const options: RequestOptions & { readonly destination: Destination } = {
      // Reaches the agent, which keeps connections apart by their host.
      destination,
      host: destination.way.name,
      method: request.method,
      path: request.url,
      headers: repeatHeaders(request),
      setHost: false,
      maxHeaderSize: LONGEST_HEAD_BYTES,
      agent: agentOf(request),
    }
    return builtin('node:http').request(options)
  } catch {
    return null
  }
}

/** The owner took all that was sent and closed without a word. Had anything been left unread, as by one that has no descriptors left, a system call would have failed. */
export function wasRead(error: NodeJS.ErrnoException): boolean {
  return error.syscall === undefined
}

/** The owner went away with a request that it had begun; whether it was done nobody knows. */
function refuse(response: ServerResponse): void {
  response.writeHead(502, { 'content-type': 'text/plain' })
  response.end('The worker that was answering this request has ended.\n')
}

function agentOf(request: IncomingMessage): Agent {
  const client: Client = connectionOf(request)
  const known = client[AGENT]
  if (known) return known
  const agent = new (builtin('node:http').Agent)({ keepAlive: true, maxSockets: isHttp2(request) ? MAX_SOCKETS.http2 : MAX_SOCKETS.http1 })
  agent.createConnection = (options) => {
    const { way, describe } = (options as unknown as { destination: Destination }).destination
    const socket = way.open({ allowHalfOpen: false })
    socket.write(`${describe()}\n`)
    return socket
  }
  client[AGENT] = agent
  client.once('close', () => agent.destroy())
  return agent
}
