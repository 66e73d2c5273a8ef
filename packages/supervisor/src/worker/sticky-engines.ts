import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { SocketIOServer } from './engine-sockets.ts'
import type { Neighbours } from './neighbours.ts'
import type { Place } from './session-ids.ts'

/** As much of engine.io's `Server` as is needed. */
interface Engine {
  readonly clients: Readonly<Record<string, unknown>>
  /** Runs the engine's own middlewares, such as CORS. Private, and absent from old versions. */
  _applyMiddlewares?(request: IncomingMessage, response: ServerResponse, next: () => void): void
  generateId(request: unknown): unknown
  handleRequest(request: IncomingMessage, response: ServerResponse): void
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

interface AttachedServer extends SocketIOServer {
  readonly httpServer?: Server
  bind(engine: Engine): unknown
}

const CLOSE_PACKET = '1'
const LAST = Symbol('stationmaster.session')
type Remembering = Socket & { [LAST]?: { readonly id: string; readonly owner: Place | null } }

/**
 * Brings every request of a Socket.IO session to the worker that has the session, whichever worker of whichever replica accepted the connection. The id names
 * its owner; if that worker is gone, engine.io here does not know the id either and says so at once.
 */
export function stickEngines(server: SocketIOServer, neighbours: Neighbours): void {
  const attached = server as AttachedServer
  const prepare = (engine: Engine): void => {
    stickEngine(engine, neighbours)
    if (attached.httpServer) neighbours.serve(attached.httpServer)
  }
  if (attached.engine) return prepare(attached.engine as Engine)
  // A server made without an HTTP server gets its engine when it is attached to one.
  const bind = attached.bind
  attached.bind = (engine: Engine) => {
    prepare(engine)
    return bind.call(attached, engine)
  }
}

function stickEngine(engine: Engine, neighbours: Neighbours): void {
  const { sessionIds, here } = neighbours
  const handleRequest = engine.handleRequest.bind(engine)
  const handleUpgrade = engine.handleUpgrade.bind(engine)
  // A client's connection mostly carries one session, and the tag of an id has to be checked only once there.
  const ownerOf = (id: string, socket: Remembering): Place | null => {
    if (socket[LAST]?.id !== id) socket[LAST] = { id, owner: sessionIds.ownerOf(id) }
    return socket[LAST].owner
  }
  const otherOwner = (request: IncomingMessage): Place | null => {
    if (neighbours.isFromNeighbour(request)) return null
    const id = sessionIdOf(request.url ?? '')
    const owner = id === null ? neighbours.successorFor(request) : ownerOf(id, request.socket)
    return owner === null || neighbours.isHere(owner) ? null : owner
  }
  // Who was told to leave may have something on its way still: this is the end of a session that we know, not an unknown one.
  const hasEnded = (request: IncomingMessage): boolean => {
    const id = neighbours.isLeaving ? sessionIdOf(request.url ?? '') : null
    const owner = id === null ? null : ownerOf(id, request.socket)
    return id !== null && owner !== null && neighbours.isHere(owner) && !Object.hasOwn(engine.clients, id)
  }
  engine.generateId = () => sessionIds.make(here)
  engine.handleRequest = (request, response) => {
    const owner = otherOwner(request)
    if (owner === null && hasEnded(request)) sayThatItEnded(engine, request, response)
    else if (owner === null) handleRequest(request, response)
    // Without its owner a session is unknown here too, which engine.io tells without looking at the body.
    else neighbours.forward(owner, request, response, { isRepeatable: true, clientWaits: false, onGone: () => handleRequest(request, response) })
  }
  engine.handleUpgrade = (request, socket, head) => {
    const owner = otherOwner(request)
    if (owner === null) handleUpgrade(request, socket, head)
    else neighbours.carry(owner, request, socket, head, () => handleUpgrade(request, socket, head))
  }
}

/** As engine.io speaks to polling clients: a close packet to who listens, a confirmation to who says something. */
function sayThatItEnded(engine: Engine, request: IncomingMessage, response: ServerResponse): void {
  const say = (): void => {
    const isPoll = request.method === 'GET'
    response.writeHead(200, { 'content-type': isPoll ? 'text/plain; charset=UTF-8' : 'text/html', 'cache-control': 'no-store' })
    response.end(isPoll ? CLOSE_PACKET : 'ok')
  }
  if (engine._applyMiddlewares) engine._applyMiddlewares(request, response, say)
  else say()
}

/**
 * Only from the query of the request target: the same text in a header means nothing. Read as engine.io reads it, without a fragment and the last of
 * several: an id that only we saw would bring new sessions to a worker of the client's choice.
 */
function sessionIdOf(url: string): string | null {
  const [target = ''] = url.split('#', 1)
  const query = target.indexOf('?')
  return (query !== -1 && new URLSearchParams(target.slice(query + 1)).getAll('sid').at(-1)) || null
}
