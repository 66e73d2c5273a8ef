import net from 'node:net'

const privates = new WeakSet<net.Server>()

/** Marks a server as ours, before it listens: it is none of the app's. */
export function keepPrivate(server: net.Server): void {
  privates.add(server)
}

export function isPrivate(server: net.Server | undefined): boolean {
  return server !== undefined && privates.has(server)
}

/** The servers of this process that listen now, in the order in which they began. */
export type Servers = ReadonlySet<net.Server>

export interface ServerHooks {
  /** Called at the first `listen()` of a server, before anything happens. */
  onFirstListen(server: net.Server): void
  /** A server listens; called before the app's own listeners hear of it. */
  onListening(server: net.Server): void
}

/**
 * Sees every `listen()` in the process. The call itself stays Node's, with one exception: `reusePort` means nothing where the primary owns
 * the socket, and Node would bind a socket of the worker's own.
 */
export function watchServers(hooks: ServerHooks): Servers {
  const listening = new Set<net.Server>()
  const known = new WeakSet<net.Server>()
  const listenOfNode = net.Server.prototype.listen as (this: net.Server, ...args: unknown[]) => net.Server

  const meet = (server: net.Server): void => {
    if (known.has(server) || privates.has(server)) return
    known.add(server)
    server.on('listening', () => {
      listening.add(server)
      hooks.onListening(server)
    })
    server.on('close', () => listening.delete(server))
    hooks.onFirstListen(server)
  }

  net.Server.prototype.listen = function (this: net.Server, ...args: unknown[]) {
    meet(this)
    const options = args[0]
    if (asksForReusePort(options)) args[0] = { ...options, reusePort: false }
    return Reflect.apply(listenOfNode, this, args)
  } as typeof net.Server.prototype.listen
  return listening
}

function asksForReusePort(options: unknown): options is object {
  return typeof options === 'object' && options !== null && (options as { reusePort?: unknown }).reusePort === true
}
