/** As much of socket.io's classes as is needed. */
interface Socket {
  readonly conn: object
  /** What the client still has to acknowledge. */
  readonly acks?: ReadonlyMap<number, unknown>
}

interface SocketClass extends Socket {
  /** Makes the function by which the app acknowledges a client's event. */
  ack?(id: number): (...args: unknown[]) => void
}

interface Namespace {
  readonly sockets: ReadonlyMap<string, Socket>
  on(event: 'connection', listener: (socket: Socket) => void): void
}

interface Server {
  readonly _nsps: ReadonlyMap<string, Namespace>
  on(event: 'new_namespace', listener: (namespace: Namespace) => void): void
}

/** Events of a connection's client that the app has still to acknowledge. */
const DUE = Symbol('stationmaster.due')
type Counted = object & { [DUE]?: number }

const counting = new WeakSet<object>()

/** Begins to count, for the clients of this server, the acknowledgements that are due. A server of another make is left alone. */
export function countAnswers(server: object): void {
  const { _nsps: namespaces } = server as Partial<Server>
  if (!namespaces) return
  const watch = (namespace: Namespace): void => namespace.on('connection', (socket) => countOn(Object.getPrototypeOf(socket) as SocketClass))
  for (const namespace of namespaces.values()) watch(namespace)
  ;(server as Server).on('new_namespace', watch)
}

/** The connections whose clients are connected and owe no acknowledgement; null if that cannot be known. */
export function settled(server: object): ReadonlySet<object> | null {
  const { _nsps: namespaces } = server as Partial<Server>
  if (!namespaces) return null
  const all = [...namespaces.values()].flatMap(({ sockets }) => [...sockets.values()])
  const connections = new Set<object>(all.map(({ conn }) => conn))
  for (const { acks, conn } of all) if (acks && acks.size > 0) connections.delete(conn)
  return connections
}

/** The app has still to acknowledge something to this client. */
export function owesAnswers(socket: object): boolean {
  return ((socket as Counted)[DUE] ?? 0) > 0
}

/** On the class, not on each socket: thousands of sockets shall cost no more than without us. */
function countOn(prototype: SocketClass): void {
  const { ack } = prototype
  if (counting.has(prototype) || typeof ack !== 'function') return
  counting.add(prototype)
  prototype.ack = function (this: Socket, id) {
    const answer = Reflect.apply(ack, this, [id]) as (...args: unknown[]) => void
    const connection = this.conn as Counted
    connection[DUE] = (connection[DUE] ?? 0) + 1
    let isDue = true
    return (...args) => {
      if (isDue) connection[DUE] = (connection[DUE] ?? 1) - 1
      isDue = false
      answer(...args)
    }
  }
}
