import http from 'node:http'
import { fileURLToPath } from 'node:url'
import { io, type Socket } from 'socket.io-client'
import { describe, expect } from 'vitest'
import { it } from '../processes/harness.ts'
import type { Station } from '../processes/harness/station.ts'
import { until, within } from '../processes/harness/until.ts'

const entry = fileURLToPath(new URL('./fixtures/rooms.mjs', import.meta.url))
const FOUR = { workers: { min: 4, max: 5, oversubscribe: true, spares: 0, bootTimeout: '20s' } }

interface Who {
  readonly worker: string
  readonly address: string
  readonly transport: string
}

class Client {
  readonly socket: Socket
  readonly disconnects: string[] = []

  constructor(station: Station, transports: string[], options: Record<string, unknown> = {}) {
    // What is said into a connection that is just closing is lost; a client that cares says it again, and so do these.
    const again = { retries: 10, ackTimeout: 3000, reconnectionDelay: 20, reconnectionDelayMax: 100 }
    this.socket = io(`http://127.0.0.1:${station.port}`, { transports, forceNew: true, ...again, ...options })
    this.socket.on('disconnect', (reason) => this.disconnects.push(reason))
  }

  ask<Answer>(event: string, ...args: unknown[]): Promise<Answer> {
    return within(`an answer to ${event}`, this.socket.emitWithAck(event, ...args) as Promise<Answer>, { boundMs: 30_000 })
  }

  async use(): Promise<Who> {
    const body = 'x'.repeat(20_000)
    expect(await this.ask('echo', body)).toBe(body)
    return await this.ask<Who>('who')
  }
}

async function withClients(count: number, make: () => Client, use: (clients: Client[]) => Promise<void>): Promise<void> {
  const clients = Array.from({ length: count }, make)
  try {
    await use(clients)
  } finally {
    for (const { socket } of clients) socket.close()
  }
}

const shapes = [
  ['polling only', ['polling'], 'polling'],
  ['WebSocket only', ['websocket'], 'websocket'],
  ['an upgrade from polling', ['polling', 'websocket'], 'websocket'],
] as const

describe('Socket.IO over four workers', () => {
  for (const [name, transports, last] of shapes) {
    it(`keeps every session with ${name}`, async ({ stage }) => {
      const station = await stage.start({ entry, config: FOUR }, 4)
      await withClients(
        24,
        () => new Client(station, [...transports]),
        async (clients) => {
          const before = await Promise.all(clients.map((client) => client.use()))
          await until('the last transport', () => clients.every(({ socket }) => socket.io.engine?.transport.name === last))
          const after = await Promise.all(clients.map((client) => client.use()))
          expect(after.map(({ worker }) => worker)).toEqual(before.map(({ worker }) => worker))
          expect(new Set(after.map(({ address }) => address))).toEqual(new Set(['127.0.0.1']))
          expect(after.every(({ transport }) => transport === last)).toBe(true)
          expect(clients.flatMap(({ disconnects }) => disconnects)).toEqual([])
        },
      )
    })
  }

  it('reaches the members of a room on all workers, and counts everybody', async ({ stage }) => {
    const station = await stage.start({ entry, config: FOUR }, 4)
    await withClients(
      16,
      () => new Client(station, ['polling', 'websocket']),
      async (clients) => {
        const heard = clients.map(({ socket }) => new Promise((resolve) => socket.once('shout', resolve)))
        await Promise.all(clients.map((client) => client.ask('join', 'hall')))
        clients[0]?.socket.volatile.emit('shout', 'hall', 'hello')
        expect(await within('everybody hears it', Promise.all(heard))).toEqual(clients.map(() => 'hello'))
        expect(await clients[1]?.ask('count')).toBe(16)
      },
    )
  })

  it('serves a second Socket.IO server on the same HTTP server, and plain requests beside both', async ({ stage }) => {
    const station = await stage.start({ entry, config: FOUR }, 4)
    await withClients(
      12,
      () => new Client(station, ['polling'], { path: '/second/' }),
      async (clients) => {
        await Promise.all(clients.map((client) => client.use()))
        expect((await request(station, '/')).body).toBe('plain')
      },
    )
  })

  it('lets the sessions of a drained worker go on elsewhere, and leaves the others alone', async ({ stage }) => {
    const station = await stage.start({ entry, config: FOUR }, 4)
    await withClients(
      24,
      () => new Client(station, ['polling', 'websocket']),
      async (clients) => {
        const before = await Promise.all(clients.map((client) => client.use()))
        const drained = before[0]?.worker as string
        await station.control.drain(Number(drained))
        await station.until('it is gone', ({ workers }) => workers.every(({ id }) => String(id) !== drained))
        const after = await Promise.all(clients.map((client) => client.use()))
        for (const [index, { worker }] of after.entries()) {
          if (before[index]?.worker === drained) expect(worker).not.toBe(drained)
          else expect([worker, clients[index]?.disconnects]).toEqual([before[index]?.worker, []])
        }
      },
    )
  })

  it('tells a client at once that its session is unknown when the owner is gone, or the id was made up', async ({ stage }) => {
    const station = await stage.start({ entry, config: FOUR }, 4)
    const opened = await request(station, '/socket.io/?EIO=4&transport=polling')
    const { sid } = JSON.parse(opened.body.slice(1)) as { sid: string }
    const owner = Number.parseInt(sid.split('-')[0] as string, 36)
    const pid = (await station.status())?.workers.find(({ id }) => id === owner)?.pid as number
    process.kill(pid, 'SIGKILL')
    await station.until('it was replaced', ({ workers }) => workers.every(({ id }) => id !== owner) && workers.length === 4)
    const forged = `1-${'a'.repeat(31)}`
    for (const id of [sid, forged, 'short', '1-', '../../etc/passwd']) {
      const answer = await request(station, `/socket.io/?EIO=4&transport=polling&sid=${encodeURIComponent(id)}`)
      expect([answer.status, JSON.parse(answer.body)]).toEqual([400, { code: 1, message: 'Session ID unknown' }])
    }
  })
})

function request(station: Station, path: string): Promise<{ status: number; body: string }> {
  return within(
    `an answer to ${path}`,
    new Promise((resolve, reject) => {
      http
        .get({ host: '127.0.0.1', port: station.port, path, agent: false }, (response) => {
          let body = ''
          response.setEncoding('utf8').on('data', (text: string) => {
            body += text
          })
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
        })
        .on('error', reject)
    }),
  )
}
