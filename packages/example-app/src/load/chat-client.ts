import { setTimeout as sleep } from 'node:timers/promises'
import { io, type Socket } from 'socket.io-client'
import { reasonOf } from './http-client.ts'
import { count, Tally } from './tally.ts'

/** What all clients saw together. */
export class ChatCounts {
  readonly tally: Tally = new Tally()
  readonly disconnectReasons: Map<string, number> = new Map()
  connected = 0
  joined = 0
  disconnects = 0
  reconnects = 0
  refused = 0
  resent = 0
  lostAcks = 0
  received = 0
  /** Set when the test is over: what happens to connections from then on is nobody's fault. */
  stopped = false
}

export type ChatClient = { say(): Promise<void>; disconnect(): void }

/** A message that is lost so often has more against it than workers that leave. */
const maxTries = 4
const pollMs = 10

/** A client that joins a room, connects again by itself, and says again what was lost with a connection. */
export function startChatClient(url: string, room: string, ackTimeoutMs: number, counts: ChatCounts): ChatClient {
  const socket = io(url, { transports: ['websocket'], forceNew: true, reconnectionDelay: 200, reconnectionDelayMax: 2_000 })
  let inRoom = false
  const sayOnce = async (): Promise<{ readonly worker?: string }> => {
    const answer: { worker?: string; error?: string } = await socket.timeout(ackTimeoutMs).emitWithAck('say', 'hello')
    if (answer.error) throw new Error(answer.error)
    return answer
  }
  const say = async (): Promise<void> => {
    if (!inRoom) return
    counts.tally.sent()
    const startedAt = performance.now()
    for (let tries = 1; ; tries++) {
      try {
        const { worker } = await sayOnce()
        return counts.tally.ok(performance.now() - startedAt, worker)
      } catch (error) {
        if (counts.stopped) return counts.tally.failed('stopped')
        if (tries === maxTries || !(await eventually(() => inRoom, ackTimeoutMs))) {
          counts.lostAcks++
          return counts.tally.failed(`lost: ${reasonOf(error)}`)
        }
        counts.resent++
      }
    }
  }
  watch(socket, counts)
  socket.on('connect', () => {
    socket.timeout(ackTimeoutMs).emit('join', room, (error: unknown) => {
      if (error || inRoom || !socket.connected) return
      inRoom = true
      counts.joined++
    })
  })
  socket.on('disconnect', () => {
    if (inRoom) counts.joined--
    inRoom = false
  })
  return { say, disconnect: () => socket.disconnect() }
}

function watch(socket: Socket, counts: ChatCounts): void {
  let connections = 0
  socket.on('connect', () => {
    counts.connected++
    if (connections++ > 0) counts.reconnects++
  })
  socket.on('disconnect', (reason) => {
    counts.connected--
    if (counts.stopped) return
    counts.disconnects++
    count(counts.disconnectReasons, reason)
  })
  socket.on('connect_error', () => counts.refused++)
  socket.on('message', () => counts.received++)
}

export async function eventually(condition: () => boolean, withinMs: number): Promise<boolean> {
  const end = performance.now() + withinMs
  while (!condition() && performance.now() < end) await sleep(pollMs)
  return condition()
}
