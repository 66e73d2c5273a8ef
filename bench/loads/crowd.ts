// Many Socket.IO clients over WebSocket, a process of its own: `node crowd.ts '<CrowdOrder as JSON>'`. Each says something now and then; a client that is told to leave connects again.
import { WebSocket } from 'ws'

export interface CrowdOrder {
  readonly port: number
  readonly hosts: readonly string[]
  readonly clients: number
  /** Each says something so often. */
  readonly everyMs: number
  /** Distinguishes what this process says from what others say. */
  readonly name: string
}

export type CrowdMessage =
  | { readonly kind: 'connected' }
  | {
      readonly kind: 'report'
      readonly acknowledged: readonly string[]
      /** Said, and neither acknowledged nor known to be lost when it was over. */
      readonly unanswered: number
      /** When clients were closed with a closing handshake, as a server does that asks to come again; on the clock of the wall. */
      readonly askedAtMs: readonly number[]
      /** Clients that are there when it is over. */
      readonly connected: number
      /** Connections that ended in any other way, by how. */
      readonly unexpected: Readonly<Record<string, number>>
    }

const OPENED_PER_SECOND = 400
/** A client waits a little before it comes back, as socket.io-client does. */
const RETURN_MS = 1000

const order = JSON.parse(process.argv[2] ?? '') as CrowdOrder
const acknowledged: string[] = []
const unexpected: Record<string, number> = {}
let connected = 0
const askedAtMs: number[] = []
let unanswered = 0
let isOver = false
let hasTold = false

class CrowdClient {
  readonly #index: number
  #socket: WebSocket | null = null
  #timer: NodeJS.Timeout | undefined
  #waiting = new Map<string, string>()
  #said = 0

  constructor(index: number) {
    this.#index = index
  }

  connect(): void {
    const host = order.hosts[this.#index % order.hosts.length] as string
    const socket = new WebSocket(`ws://${host}:${order.port}/socket.io/?EIO=4&transport=websocket`, { perMessageDeflate: false })
    this.#socket = socket
    let joined = false
    socket.on('message', (data: Buffer) => {
      const packet = data.toString('latin1')
      if (packet[0] === '0') socket.send('40')
      else if (packet === '2') socket.send('3')
      else if (packet.startsWith('40')) {
        joined = true
        this.#joined()
      } else if (packet.startsWith('43')) this.#answered(packet.slice(2, packet.indexOf('[')))
    })
    socket.on('error', (error) => this.#noteUnexpected(error.message))
    socket.on('close', (code) => this.#closed(code, joined))
  }

  end(): void {
    clearInterval(this.#timer)
    unanswered += this.#waiting.size
    this.#socket?.terminate()
  }

  #joined(): void {
    connected++
    const offsetMs = (this.#index % 100) * (order.everyMs / 100)
    this.#timer = setTimeout(() => {
      this.#say()
      this.#timer = setInterval(() => this.#say(), order.everyMs)
    }, offsetMs)
    if (connected < order.clients || hasTold) return
    hasTold = true
    tell({ kind: 'connected' })
  }

  #say(): void {
    const id = String(++this.#said)
    const text = `${order.name}-${this.#index}-${id}`
    this.#waiting.set(id, text)
    this.#socket?.send(`42${id}["say","${text}"]`)
  }

  #answered(id: string): void {
    const text = this.#waiting.get(id)
    if (text !== undefined) acknowledged.push(text)
    this.#waiting.delete(id)
  }

  #closed(code: number, joined: boolean): void {
    clearInterval(this.#timer)
    if (isOver) return
    if (joined) connected--
    if (code === 1006) this.#noteUnexpected('closed without a closing handshake')
    else askedAtMs.push(Date.now())
    unanswered += this.#waiting.size
    this.#waiting.clear()
    setTimeout(() => this.connect(), RETURN_MS * (0.5 + (this.#index % 10) / 10))
  }

  #noteUnexpected(how: string): void {
    if (!isOver) unexpected[how] = (unexpected[how] ?? 0) + 1
  }
}

const clients = Array.from({ length: order.clients }, (_, index) => new CrowdClient(index))
for (const [index, client] of clients.entries()) setTimeout(() => client.connect(), (index * 1000) / OPENED_PER_SECOND)
process.on('disconnect', () => process.exit(0))
process.on('message', () => {
  isOver = true
  for (const client of clients) client.end()
  tell({ kind: 'report', acknowledged, unanswered, askedAtMs, connected, unexpected })
})

function tell(message: CrowdMessage): void {
  process.send?.(message)
}
