import { mkdtemp, rm } from 'node:fs/promises'
import { once } from 'node:events'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { type ControlServer, openControlServer } from '../../packages/supervisor/src/operator/control-server.ts'
import { FakeControl, keepingLogger } from './fake-control.ts'

export interface World {
  readonly folder: string
  /** Where the server listens. */
  readonly path: string
  readonly control: FakeControl
  readonly log: ReturnType<typeof keepingLogger>
  /** Opens a control server, on `path` unless told otherwise, that is closed when the test is over. */
  open(path?: string): Promise<ControlServer>
}

/** A test in a folder of its own, whose servers are closed when it is over. */
export const it = test.extend<{ world: World }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern to see that nothing else is needed
  world: async ({}, use) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'sm-operator-'))
    const servers: ControlServer[] = []
    const control = new FakeControl()
    const log = keepingLogger()
    const own = path.join(folder, 'control.sock')
    await use({
      folder,
      path: own,
      control,
      log,
      async open(at = own) {
        const server = await openControlServer({ path: at, control, log })
        servers.push(server)
        return server
      },
    })
    await Promise.all(servers.map((server) => server.close()))
    expect(control.listeners.size).toBe(0)
    await rm(folder, { recursive: true, force: true })
  },
})

/** A client that says exactly what it is told to, byte by byte, and keeps what it hears until the other side closes. */
export class RawClient {
  readonly socket: net.Socket
  heard = ''
  readonly closed: Promise<unknown>

  constructor(to: string | number) {
    this.socket = typeof to === 'number' ? net.connect(to, '127.0.0.1') : net.connect(to)
    this.socket.setEncoding('utf8').on('data', (chunk: string) => {
      this.heard += chunk
    })
    this.socket.on('error', () => {})
    this.closed = once(this.socket, 'close')
  }

  say(text: string): this {
    this.socket.write(text)
    return this
  }

  async hears(text: string): Promise<void> {
    while (!this.heard.includes(text)) {
      if (this.socket.destroyed) throw new Error(`closed before "${text}"; heard: ${this.heard}`)
      await Promise.race([once(this.socket, 'data'), this.closed])
    }
  }
}

export interface Heard {
  readonly status: number
  readonly head: string
  readonly body: unknown
}

/** One request as raw text; resolves when the server has closed the connection. */
export async function say(to: string | number, request: string): Promise<Heard> {
  const client = new RawClient(to).say(request)
  await client.closed
  const [head = '', body = ''] = client.heard.split('\r\n\r\n')
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), head, body: head.includes('application/json') ? JSON.parse(body) : body }
}

export const get = (to: string | number, url: string, host = 'localhost'): Promise<Heard> =>
  say(to, `GET ${url} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)

export const post = (to: string | number, url: string, body: string, type = 'application/json'): Promise<Heard> =>
  say(
    to,
    `POST ${url} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
