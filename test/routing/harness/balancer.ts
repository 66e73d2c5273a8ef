import { once } from 'node:events'
import http, { type IncomingMessage } from 'node:http'
import net from 'node:net'

interface Upstream {
  readonly port: number
  readonly agent: http.Agent
}

/** What platforms put before replicas: each request, of whichever client, goes to one by chance, over connections that clients share. Who refuses is left out. */
export class Balancer {
  readonly #server: http.Server
  #upstreams: readonly Upstream[] = []
  readonly #sockets = new Set<net.Socket>()
  /** How often each upstream was chosen. */
  readonly chosen = new Map<number, number>()

  private constructor() {
    this.#server = http.createServer((request, response) => this.#pass(request, response, this.#shuffled()))
    this.#server.on('upgrade', (request: IncomingMessage, socket: net.Socket, head: Buffer) => this.#carry(request, socket, head, this.#shuffled()))
    this.#server.on('connection', (socket) => this.#remember(socket))
  }

  static async open(ports: readonly number[]): Promise<Balancer> {
    const balancer = new Balancer()
    balancer.aim(ports)
    balancer.#server.listen(0, '127.0.0.1')
    await once(balancer.#server, 'listening')
    return balancer
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port
  }

  aim(ports: readonly number[]): void {
    this.#upstreams = ports.map((port) => ({ port, agent: new http.Agent({ keepAlive: true, maxSockets: 20 }) }))
  }

  close(): void {
    this.#server.close()
    for (const { agent } of this.#upstreams) agent.destroy()
    for (const socket of this.#sockets) socket.destroy()
  }

  #shuffled(): Upstream[] {
    return this.#upstreams
      .map((upstream) => ({ upstream, rank: Math.random() }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ upstream }) => upstream)
  }

  #choose({ port }: Upstream): void {
    this.chosen.set(port, (this.chosen.get(port) ?? 0) + 1)
  }

  #pass(request: IncomingMessage, response: http.ServerResponse, [first, ...others]: readonly Upstream[]): void {
    if (!first) return void response.writeHead(503).end()
    this.#choose(first)
    const out = http.request({ ...first, host: '127.0.0.1', method: request.method, path: request.url, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.on('error', () => response.destroy())
      answer.pipe(response)
    })
    out.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (response.headersSent) return
      request.unpipe(out)
      if (code === 'ECONNREFUSED') this.#pass(request, response, others)
      else response.writeHead(502).end()
    })
    response.on('close', () => !response.writableEnded && out.destroy())
    out.once('socket', (socket) => this.#whenConnected(socket, () => request.pipe(out)))
    if (request.method === 'GET') out.end()
  }

  /** A body that was sent to nobody can still be sent to another. */
  #whenConnected(socket: net.Socket, done: () => void): void {
    if (socket.connecting) socket.once('connect', done)
    else done()
  }

  #carry(request: IncomingMessage, socket: net.Socket, head: Buffer, [first, ...others]: readonly Upstream[]): void {
    if (!first) return void socket.destroy()
    this.#choose(first)
    const out = net.connect(first.port, '127.0.0.1')
    this.#remember(out)
    out.on('error', ({ code }: NodeJS.ErrnoException) => (code === 'ECONNREFUSED' ? this.#carry(request, socket, head, others) : socket.destroy()))
    out.once('connect', () => {
      const headers = request.rawHeaders.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('')
      out.write(`${request.method} ${request.url} HTTP/1.1\r\n${headers}\r\n`)
      out.write(head)
      socket.pipe(out).pipe(socket)
      socket.on('close', () => out.destroy())
      out.on('close', () => socket.destroy())
    })
  }

  #remember(socket: net.Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket))
  }
}
