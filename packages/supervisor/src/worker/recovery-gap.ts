type Packet = { readonly type: number; readonly id?: number; readonly data: readonly unknown[] }
type Rooms = readonly string[]

/** A broadcast as the stream has it. */
interface Broadcast {
  readonly type: number
  readonly data: {
    readonly packet: Packet
    readonly opts: { readonly rooms: Rooms; readonly except: string[]; readonly flags?: { volatile?: boolean } }
  }
}

interface Session {
  readonly sid: string
  readonly rooms: Rooms
  /** Each with its place in the stream as the last item. */
  readonly missedPackets: unknown[][]
}

/** As much of the adapter as is needed. */
export interface StreamAdapter {
  onMessage(message: Broadcast, offset?: string): void
  doPublish(message: Broadcast): Promise<string>
  broadcast(packet: Packet, options: { readonly except: Set<string> }): unknown
  restoreSession(id: string, offset: string): Promise<Session>
  serverSideEmit(packet: unknown[]): Promise<unknown>
}

interface Arrival extends Omit<Broadcast['data'], 'packet'> {
  readonly packet: Packet
  readonly offset: string
  /** Keeps it from this client, as long as it was not delivered. */
  exclude(id: string): void
}

const BROADCAST = 3
const EVENT = 2
/** The connection that reads the stream lags behind the one that restores sessions by less than this. */
const LAG_MS = 2000
/** The worker that a client has left told Redis of its session in the same moment; a client that is quick, or a Redis that is busy, can be ahead of it. */
const LOOK_AGAIN_MS = [50, 100, 200, 400]
const NOT_THERE = 'session or offset not found'

/**
 * While a session is restored from the stream, broadcasts go on arriving by another connection: without this, one that arrives before the client is
 * there but after the stream was read would be lost, and one that was read from the stream and arrives later would be heard twice. And a client
 * may be back before its session is.
 */
export function closeRecoveryGap(adapter: StreamAdapter): void {
  const { onMessage, doPublish, broadcast, restoreSession } = adapter
  const underWay = new Set<Arrival[]>()
  /** Up to where in the stream each client that came back has been told. */
  const toldUpTo = new Map<string, string>()
  let publishing: Set<string> | null = null

  const see = (arrival: Arrival): void => {
    for (const arrivals of underWay) arrivals.push(arrival)
    for (const [id, upTo] of toldUpTo) if (!isAfter(arrival.offset, upTo)) arrival.exclude(id)
  }
  adapter.onMessage = (message, offset) => {
    const { type, data } = message
    if (type === BROADCAST && offset) see({ ...data, packet: copyOf(data.packet), offset, exclude: (id) => data.opts.except.push(id) })
    onMessage.call(adapter, message, offset)
  }
  adapter.broadcast = (packet, options) => {
    publishing = options.except
    try {
      return broadcast.call(adapter, packet, options)
    } finally {
      publishing = null
    }
  }
  adapter.doPublish = async (message) => {
    const except = publishing
    const packet = message.type === BROADCAST ? copyOf(message.data.packet) : null
    const offset = await doPublish.call(adapter, message)
    if (except && packet && offset) see({ ...message.data, packet, offset, exclude: (client) => except.add(client) })
    return offset
  }
  adapter.restoreSession = async (id, offset) => {
    const arrivals: Arrival[] = []
    underWay.add(arrivals)
    const session = await lookFor(async () => await restoreSession.call(adapter, id, offset)).finally(() => underWay.delete(arrivals))
    const upTo = (session.missedPackets.at(-1)?.at(-1) as string | undefined) ?? offset
    const late = arrivals.filter((arrival) => isAfter(arrival.offset, upTo) && concerns(session, arrival)).toSorted(byOffset)
    for (const arrival of arrivals) arrival.exclude(session.sid)
    session.missedPackets.push(...late.map(({ packet, offset: place }) => [...packet.data, place]))
    toldUpTo.set(session.sid, late.at(-1)?.offset ?? upTo)
    setTimeout(() => toldUpTo.delete(session.sid), LAG_MS).unref()
    return session
  }
}

async function lookFor(restore: () => Promise<Session>): Promise<Session> {
  for (const waitMs of LOOK_AGAIN_MS) {
    try {
      return await restore()
    } catch (error) {
      if (error !== NOT_THERE) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, waitMs))
  }
  return await restore()
}

/** The adapter adds the place in the stream to the data itself. */
function copyOf(packet: Packet): Packet {
  return packet.type === EVENT ? { ...packet, data: [...packet.data] } : packet
}

function concerns({ rooms }: Session, { packet, opts }: Arrival): boolean {
  const isKept = packet.type === EVENT && packet.id === undefined && !opts.flags?.volatile
  const isMeant = opts.rooms.length === 0 || opts.rooms.some((room) => rooms.includes(room))
  return isKept && isMeant && !opts.except.some((room) => rooms.includes(room))
}

function byOffset(one: Arrival, other: Arrival): number {
  return isAfter(one.offset, other.offset) ? 1 : -1
}

/** Places are written as milliseconds and a count within them. */
function isAfter(offset: string, other: string): boolean {
  const [ms = 0, count = 0] = offset.split('-').map(Number)
  const [otherMs = 0, otherCount = 0] = other.split('-').map(Number)
  return ms > otherMs || (ms === otherMs && count > otherCount)
}
