import type { EventEmitter } from 'node:events'
import type net from 'node:net'
import { complain } from './complain.ts'
import type { SocketIOServer } from './engine-sockets.ts'
import { isTlsServer } from './internals.ts'

interface AttachedServer extends SocketIOServer {
  readonly httpServer?: net.Server
  bind(engine: Engine): unknown
}

interface Sticky {
  setupWorker(io: { readonly httpServer: net.Server; readonly engine: { on(event: 'connection', listener: Listener): void } }): void
}

/** As much of engine.io's `Server` and `Socket` as is needed. */
interface Engine extends EventEmitter {
  generateId(request: unknown): unknown
}

interface EngineSocket {
  readonly id: string
  once(event: 'close', listener: () => void): void
}

type Load = (name: string, neededBy: string) => unknown
type Listener = (socket: EngineSocket) => void

/** The HTTP server whose connections the primary deals out by @socket.io/sticky, with `routing.engine: 'socket.io-sticky'`. */
export class DealtServers {
  readonly #onConnection: (socket: net.Socket) => void
  readonly #listeners: Listener[] = []
  #httpServer: net.Server | null = null
  #load: Load = () => null

  /** @param onConnection called for each connection that comes, before the app knows of it */
  constructor(onConnection: (socket: net.Socket) => void) {
    this.#onConnection = onConnection
  }

  isDealt(server: unknown): boolean {
    return server === this.#httpServer
  }

  /** @param load loads `@socket.io/sticky` */
  attach(server: SocketIOServer, load: Load): void {
    this.#load = load
    const attached = server as AttachedServer
    if (attached.engine) return this.#prepare(attached, attached.engine as Engine)
    // A server made without an HTTP server gets its engine when it is attached to one.
    const bind = attached.bind
    attached.bind = (engine: Engine) => {
      this.#prepare(attached, engine)
      return bind.call(attached, engine)
    }
  }

  #prepare({ httpServer }: AttachedServer, engine: Engine): void {
    if (!httpServer) return
    if (this.#httpServer === null && httpServer.listening)
      return complain('@socket.io/sticky brings no sessions to this worker: call attachSocketIO(io) before the server listens.')
    this.#httpServer ??= this.#setUp(httpServer)
    if (this.#httpServer !== httpServer)
      return complain('@socket.io/sticky serves one HTTP server only: Socket.IO on another one loses its long-polling sessions.')
    this.#announce(engine)
  }

  /**
   * The library takes one Socket.IO server, and each further one would read every connection once more: so it hears of the sessions of all as if they were of one. And it hears of them
   * as soon as they have an id: after its answer, a client could be back at the primary before the news of whose it is.
   */
  #announce(engine: Engine): void {
    const generateId = engine.generateId
    const closers = new Map<string, (() => void)[]>()
    engine.generateId = async (request) => {
      const id = (await generateId.call(engine, request)) as string
      const onClose: (() => void)[] = []
      for (const listener of this.#listeners) listener({ id, once: (_event, closer) => void onClose.push(closer) })
      closers.set(id, onClose)
      return id
    }
    engine.on('connection', (socket: EngineSocket) => {
      for (const closer of closers.get(socket.id) ?? []) socket.once('close', closer)
      closers.delete(socket.id)
    })
  }

  #setUp(httpServer: net.Server): net.Server {
    if (isTlsServer(httpServer)) complain('@socket.io/sticky cannot look into TLS: long-polling sessions are lost.')
    const { setupWorker } = this.#load('@socket.io/sticky', 'routing.engine "socket.io-sticky"') as Sticky
    setupWorker({ httpServer, engine: { on: (_event, listener) => void this.#listeners.push(listener) } })
    httpServer.prependListener('connection', this.#onConnection)
    return httpServer
  }
}
