import { type ChatClient, ChatCounts, eventually, startChatClient } from './chat-client.ts'
import { loopbackUrl, maxClients, maxSeconds, within } from './limits.ts'
import type { Stats } from './tally.ts'

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
  /** Said again, because the connection was lost before the answer: a client that minds does this, since nothing below it will. */
  readonly resent: number
  /** Said, and never acknowledged. */
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
  const clientCount = within('clients', options.clients, 1, maxClients)
  const seconds = within('seconds', options.seconds ?? maxSeconds, 0, maxSeconds)
  const ackTimeoutMs = options.ackTimeoutMs ?? 10_000
  const counts = new ChatCounts()
  const clients: ChatClient[] = []
  const timers: NodeJS.Timeout[] = []

  const connect = (index: number): void => {
    const client = startChatClient(url, `room-${index % (options.rooms ?? 1)}`, ackTimeoutMs, counts)
    clients.push(client)
    if (options.everyMs > 0) timers.push(setInterval(() => void client.say(), options.everyMs))
  }
  for (let index = 0; index < clientCount; index++) timers.push(setTimeout(connect, index * startSpacingMs, index))

  const stop = async (): Promise<SocketStats> => {
    for (const timer of timers) clearInterval(timer)
    clearTimeout(limit)
    // Acknowledgements that are on their way are not lost only because the test is over.
    await eventually(() => counts.tally.stats().inFlight === 0, ackTimeoutMs)
    counts.stopped = true
    const final = statsOf(counts)
    for (const client of clients) client.disconnect()
    return final
  }
  const limit = setTimeout(() => void stop(), seconds * 1_000)
  return {
    stats: () => statsOf(counts),
    stop,
    connected: async (withinMs) => {
      if (await eventually(() => counts.joined === clientCount, withinMs)) return
      throw new Error(`${counts.joined} of ${clientCount} clients had joined their room after ${withinMs} ms.`)
    },
  }
}

function statsOf(counts: ChatCounts): SocketStats {
  const { connected, disconnects, reconnects, refused, resent, lostAcks, received } = counts
  const disconnectReasons = Object.fromEntries(counts.disconnectReasons)
  return { ...counts.tally.stats(), connected, disconnects, reconnects, refused, resent, lostAcks, received, disconnectReasons }
}
