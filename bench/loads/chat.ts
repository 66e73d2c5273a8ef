// Socket.IO clients over long polling, a process of its own: `node chat.ts '<ChatOrder as JSON>'`. Each says something, waits for the acknowledgement, and says the next.
import { PollingClient } from './polling-client.ts'

export interface ChatOrder {
  readonly port: number
  readonly clients: number
  readonly warmUpMs: number
  /** The longest; a message from the parent ends it sooner. */
  readonly durationMs: number
  /** Whose session has ended opens another one. */
  readonly returns: boolean
}

export interface ChatReport {
  readonly acknowledged: number
  readonly elapsedMs: number
  /** How sessions ended before it was over. */
  readonly disconnects: Readonly<Record<string, number>>
  /** Ids of sessions that ended because nobody knew them. */
  readonly unknown: readonly string[]
  /** What this process itself used. */
  readonly cpuMs: number
}

const RETURN_MS = 50

const order = JSON.parse(process.argv[2] ?? '') as ChatOrder
const disconnects: Record<string, number> = {}
const unknown: string[] = []
let acknowledged = 0
let isOver = false

const outside = {
  port: order.port,
  isOver: () => isOver,
  acknowledged: () => acknowledged++,
  disconnected(how: string, sid: string): void {
    disconnects[how] = (disconnects[how] ?? 0) + 1
    if (how.includes('Session ID unknown')) unknown.push(sid)
  },
}
for (let index = 0; index < order.clients; index++) void stay()
process.on('disconnect', () => process.exit(0))
setTimeout(() => void measure(), order.warmUpMs)

async function stay(): Promise<void> {
  do {
    await new PollingClient(outside).run()
    // At once would be a busy loop where nobody serves.
    await new Promise((resolve) => setTimeout(resolve, RETURN_MS))
  } while (order.returns && !isOver)
}

async function measure(): Promise<void> {
  const acknowledgedBefore = acknowledged
  const cpuBefore = process.cpuUsage()
  const begunAtMs = performance.now()
  await new Promise((resolve) => {
    setTimeout(resolve, order.durationMs)
    process.once('message', resolve)
  })
  isOver = true
  const { user, system } = process.cpuUsage(cpuBefore)
  const elapsedMs = performance.now() - begunAtMs
  const report: ChatReport = { acknowledged: acknowledged - acknowledgedBefore, elapsedMs, disconnects, unknown, cpuMs: (user + system) / 1000 }
  process.send?.(report, () => process.exit(0))
}
