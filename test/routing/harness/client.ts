import { io, type Socket } from 'socket.io-client'
import { expect } from 'vitest'
import { within } from '../../processes/harness/until.ts'

export interface Who {
  readonly worker: string
  readonly replica: string
  readonly address: string
  readonly transport: string
  readonly recovered: boolean
  readonly data: Record<string, unknown>
}

/** A Socket.IO client as apps write them, and what it went through. */
export class Client {
  readonly socket: Socket
  readonly disconnects: string[] = []

  constructor(port: number, transports: readonly string[], options: Record<string, unknown> = {}) {
    // What is said into a connection that is just closing is lost; a client that cares says it again, and so do these.
    const again = { retries: 10, ackTimeout: 3000, reconnectionDelay: 20, reconnectionDelayMax: 100 }
    const origin = options['ca'] ? 'https://localhost' : 'http://127.0.0.1'
    this.socket = io(`${origin}:${port}`, { transports: [...transports], forceNew: true, ...again, ...options })
    this.socket.on('disconnect', (reason) => this.disconnects.push(reason))
  }

  get transport(): string | undefined {
    return this.socket.io.engine?.transport.name
  }

  /** For one that was made with `autoConnect: false`. */
  open(): this {
    this.socket.connect()
    return this
  }

  ask<Answer>(event: string, ...args: unknown[]): Promise<Answer> {
    return within(`an answer to ${event}`, this.socket.emitWithAck(event, ...args) as Promise<Answer>, { boundMs: 30_000 })
  }

  /** Says something long, and hears who answers. */
  async use(): Promise<Who> {
    const body = 'x'.repeat(20_000)
    expect(await this.ask('echo', body)).toBe(body)
    return await this.ask<Who>('who')
  }

  /** Its story, for a failure. */
  told(): string {
    const { connected, recovered } = this.socket
    return `connected ${connected}, recovered ${recovered}, disconnects: ${this.disconnects.join(', ')}`
  }

  hears(event: string): Promise<unknown> {
    return within(`${event} is heard`, new Promise((resolve) => this.socket.once(event, resolve)), { boundMs: 30_000 })
  }
}

export async function withClients(count: number, make: (index: number) => Client, use: (clients: Client[]) => Promise<void>): Promise<void> {
  const clients = Array.from({ length: count }, (_, index) => make(index))
  try {
    await use(clients)
  } finally {
    for (const { socket } of clients) socket.close()
  }
}
