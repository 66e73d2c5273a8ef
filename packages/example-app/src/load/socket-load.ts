import { io, type Socket } from 'socket.io-client'
import { reasonOf } from './http-client.ts'
import { loopbackUrl, maxClients, maxSeconds, within } from './limits.ts'
import { count, type Stats, Tally } from './tally.ts'

export type SocketLoadOptions = {
  readonly url: string
  readonly clients: number
  /** Each client says something so often. 0: it only listens. */
  readonly everyMs: number
  /** Clients are spread over so many rooms [1]: everything said is sent to everyone in the room. */
  readonly rooms?: number
  readonly ackTimeoutMs?: number
  readonly seconds?: number
}

export type SocketStats = Stats & {
  readonly connected: number
  readonly disconnects: number
  readonly reconnects: number
  readonly refused: number
  /** Said, and not acknowledged in time or before the connection was lost. */
  readonly lostAcks: number
  /** Messages that arrived from the rooms. */
  readonly received: number
  /** Why connections ended. */
  readonly disconnectReasons: Readonly<Record<string, number>>
}

export type SocketLoad = {
  stats(): SocketStats
  /** Resolves when all clients are connected and in their room, or rejects after the given time. */
  connected(withinMs: number): Promise<void>
  stop(): Promise<SocketStats>
}

/** New connections are spread a little, as those of people are. */
const startSpacingMs = 2

/** WebSocket clients of Socket.IO that join a room and talk in it. A message counts as sent, and as ok once it is acknowledged. */
export function startSocketLoad(options: SocketLoadOptions): SocketLoad {
  const url = loopbackUrl(options.url).origin
  const clients = within('clients', options.clients, 1, maxClients)
  const seconds = within('seconds', options.seconds ?? maxSeconds, 0, maxSeconds)
  const ackTimeoutMs = options.ackTimeoutMs ?? 10_000
  const tally = new Tally()
  const reasons = new Map<string, number>()
  const numbers = { connected: 0, disconnects: 0, reconnects: 0, refused: 0, lostAcks: 0, received: 0 }
  const sockets: Socket[] = []
  const timers: NodeJS.Timeout[] = []
  const joined = new Set<Socket>()
  let stopped = false

  const say = async (socket: Socket, worker: string | undefined): Promise<void> => {
    if (!socket.connected) return
    tally.sent()
    const startedAt = performance.now()
    try {
      const answer: { worker?: string; error?: string } = await socket.timeout(ackTimeoutMs).emitWithAck('say', 'hello')
      if (answer.error) throw new Error(answer.error)
      tally.ok(performance.now() - startedAt, answer.worker ?? worker)
    } catch (error) {
      if (!stopped) numbers.lostAcks++
      tally.failed(stopped ? 'stopped' : `lost: ${reasonOf(error)}`)
    }
  }
  const connect = (index: number): void => {
    if (stopped) return
    const room = `room-${index % (options.rooms ?? 1)}`
    const socket = io(url, { transports: ['websocket'], forceNew: true, reconnectionDelay: 200, reconnectionDelayMax: 2_000 })
    sockets.push(socket)
    let connections = 0
    socket.on('connect', () => {
      numbers.connected++
      if (connections++ > 0) numbers.reconnects++
      socket.timeout(ackTimeoutMs).emit('join', room, (error: unknown) => !error && joined.add(socket))
    })
    socket.on('disconnect', (reason) => {
      numbers.connected--
      joined.delete(socket)
      if (stopped) return
      numbers.disconnects++
      count(reasons, reason)
    })
    socket.on('connect_error', () => numbers.refused++)
    socket.on('message', () => numbers.received++)
    if (options.everyMs > 0) timers.push(setInterval(() => void (joined.has(socket) && say(socket, undefined)), options.everyMs))
  }
  for (let index = 0; index < clients; index++) timers.push(setTimeout(connect, index * startSpacingMs, index))

  const stats = (): SocketStats => ({ ...tally.stats(), ...numbers, disconnectReasons: Object.fromEntries(reasons) })
  const stop = async (): Promise<SocketStats> => {
    for (const timer of timers) clearInterval(timer)
    clearTimeout(limit)
    // Acknowledgements that are on their way are not lost only because the test is over.
    const end = performance.now() + ackTimeoutMs
    while (tally.stats().inFlight > 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 10))
    stopped = true
    const final = stats()
    for (const socket of sockets) socket.disconnect()
    return final
  }
  const limit = setTimeout(() => void stop(), seconds * 1_000)
  return {
    stats,
    stop,
    connected: async (withinMs) => {
      const end = performance.now() + withinMs
      while (joined.size < clients) {
        if (performance.now() > end) throw new Error(`${joined.size} of ${clients} clients had joined their room after ${withinMs} ms.`)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    },
  }
}
