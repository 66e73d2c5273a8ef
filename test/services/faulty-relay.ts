import { once } from 'node:events'
import net from 'node:net'

export type Fault = 'none' | 'stall' | 'delay' | 'lose-replies' | 'lose-one-reply' | 'cut'

/** Of a delayed word: shorter than the time that a replica waits for an answer, though not for several. */
const DELAY_MS = 250

/** A way to a server on this machine that can fail in the ways of a network. It keeps its port, also when the server behind it is another one. */
export class FaultyRelay {
  readonly #server: net.Server
  readonly #clients = new Set<net.Socket>()
  #targetPort: number
  #fault: Fault = 'none'
  /** Replies that still get through before one is lost. */
  #repliesBefore = 0
  /** Goes on with what stalled. */
  #resume = Promise.withResolvers<void>()
  /** How often the fault has hit something. */
  hits = 0

  constructor(targetPort: number) {
    this.#targetPort = targetPort
    this.#server = net.createServer((client) => this.#join(client))
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port
  }

  async open(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  async close(): Promise<void> {
    this.fail('cut')
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }

  /** From now on; what stalled before goes on, late. */
  fail(fault: Fault): void {
    this.#fault = fault
    this.hits = 0
    this.#resume.resolve()
    this.#resume = Promise.withResolvers<void>()
    if (fault === 'cut') for (const client of this.#clients) client.destroy()
  }

  /** Only one reply is lost, and its connection: the first from now on, or a later one. */
  loseReply(which: number): void {
    this.fail('lose-one-reply')
    this.#repliesBefore = which - 1
  }

  /** Another server is there now. */
  leadTo(targetPort: number): void {
    this.#targetPort = targetPort
    for (const client of this.#clients) client.destroy()
  }

  #join(client: net.Socket): void {
    if (this.#fault === 'cut') {
      this.hits++
      client.destroy()
      return
    }
    const server = net.connect(this.#targetPort, '127.0.0.1')
    this.#clients.add(client)
    const end = (): void => {
      this.#clients.delete(client)
      client.destroy()
      server.destroy()
    }
    for (const socket of [client, server]) socket.on('error', end).on('close', end)
    this.#pass(client, server, false)
    this.#pass(server, client, true)
  }

  #pass(from: net.Socket, to: net.Socket, isReply: boolean): void {
    let last = Promise.resolve()
    from.on('data', (chunk) => {
      last = last.then(async () => {
        if (await this.#suffer(isReply)) to.write(chunk)
        else from.destroy()
      })
    })
  }

  /** False: what was to be passed is lost, and the connection with it. */
  async #suffer(isReply: boolean): Promise<boolean> {
    if (this.#fault === 'none') return true
    const isOfReplies = this.#fault === 'lose-replies' || this.#fault === 'lose-one-reply'
    if (isOfReplies && !isReply) return true
    if (this.#fault === 'lose-one-reply' && this.#repliesBefore-- > 0) return true
    this.hits++
    if (this.#fault === 'lose-one-reply') {
      this.#fault = 'none'
      return false
    }
    if (this.#fault === 'delay') await new Promise((resolve) => setTimeout(resolve, DELAY_MS))
    if (this.#fault === 'stall') await this.#resume.promise
    return this.#fault !== 'lose-replies' && this.#fault !== 'cut'
  }
}
