// A steady load on new connections, a process of its own: `node steady.ts '<SteadyOrder as JSON>'`. Each message from its parent begins a round; the answer is how long each request of it took.
import net from 'node:net'

export interface SteadyOrder {
  readonly port: number
  readonly perSecond: number
  /** Requests of a round. */
  readonly count: number
}

/** Milliseconds, in the order in which requests were answered; one that nobody answers counts as `LIMIT_MS`. */
export type SteadyRound = readonly number[]

const LIMIT_MS = 10_000
const REQUEST = 'GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n'

const order = JSON.parse(process.argv[2] ?? '') as SteadyOrder
process.on('message', () => void round())
process.on('disconnect', () => process.exit(0))

/** At a steady pace, whatever becomes of the requests before. */
async function round(): Promise<void> {
  const begunAtMs = performance.now()
  const answers: Promise<number>[] = []
  for (let index = 0; index < order.count; index++) {
    answers.push(ask())
    const nextAtMs = begunAtMs + ((index + 1) * 1000) / order.perSecond
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, nextAtMs - performance.now())))
  }
  const latencies: SteadyRound = await Promise.all(answers)
  process.send?.(latencies)
}

function ask(): Promise<number> {
  return new Promise((resolve) => {
    const begunAtMs = performance.now()
    const socket = net.connect(order.port, '127.0.0.1').setTimeout(LIMIT_MS, () => socket.destroy())
    socket.on('data', () => {}).on('error', () => {})
    socket.once('end', () => resolve(performance.now() - begunAtMs)).once('close', () => resolve(LIMIT_MS))
    socket.write(REQUEST)
  })
}
