import http from 'node:http'
import { fileURLToPath } from 'node:url'
import { describe, expect } from 'vitest'
import { it } from '../processes/harness.ts'
import type { Station } from '../processes/harness/station.ts'
import { until, within } from '../processes/harness/until.ts'
import { cert } from '../worker/fixtures/certificate.ts'
import { Client, withClients } from './harness/client.ts'

const entry = fileURLToPath(new URL('./fixtures/rooms.mjs', import.meta.url))
const FOUR = { workers: { min: 4, max: 5, oversubscribe: true, spares: 0, bootTimeout: '20s' } }

const shapes = [
  ['polling only', ['polling'], 'polling'],
  ['WebSocket only', ['websocket'], 'websocket'],
  ['an upgrade from polling', ['polling', 'websocket'], 'websocket'],
] as const

const encryptions = [
  ['', {}, {}],
  [', encrypted by the app’s own server', { TLS: '1' }, { ca: cert }],
] as const

describe('Socket.IO over four workers', () => {
  for (const [[name, transports, last], [how, env, options]] of shapes.flatMap((shape) => encryptions.map((each) => [shape, each] as const))) {
    it(`keeps every session with ${name}${how}`, async ({ stage }) => {
      const station = await stage.start({ entry, config: FOUR, env }, 4)
      await withClients(
        24,
        () => new Client(station.port, transports, options),
        async (clients) => {
          const before = await Promise.all(clients.map((client) => client.use()))
          await until('the last transport', () => clients.every(({ transport }) => transport === last))
          const after = await Promise.all(clients.map((client) => client.use()))
          expect(after.map(({ worker }) => worker)).toEqual(before.map(({ worker }) => worker))
          expect(new Set(before.map(({ worker }) => worker)).size).toBeGreaterThan(1)
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
      () => new Client(station.port, ['polling', 'websocket']),
      async (clients) => {
        const heard = clients.map(({ socket }) => new Promise((resolve) => socket.once('shout', resolve)))
        await Promise.all(clients.map((client) => client.ask('join', 'hall')))
        clients[0]?.socket.volatile.emit('shout', 'hall', 'hello')
        expect(await within('everybody hears it', Promise.all(heard))).toEqual(clients.map(() => 'hello'))
        expect(await clients[1]?.ask('count')).toBe(16)
      },
    )
  })

  for (const [name, transports] of shapes) {
    it(`joins the workers to one with ${name}: broadcasts, acknowledgements, sockets and servers`, async ({ stage }) => {
      const station = await stage.start({ entry, config: FOUR }, 4)
      await withClients(
        16,
        () => new Client(station.port, transports),
        async (clients) => {
          const whos = await Promise.all(clients.map((client) => client.use()))
          const own = whos[0]?.worker as string
          const elsewhere = clients[whos.findIndex(({ worker }) => worker !== own)] as Client
          const [first, second] = clients as [Client, Client]
          for (const [index, { socket }] of clients.entries()) socket.on('question', (reply: (answer: number) => void) => reply(index))

          const told = clients.map((client) => client.hears('told'))
          await first.ask('tell everybody', 'news')
          expect(await Promise.all(told)).toEqual(clients.map(() => 'news'))

          const answers = await second.ask<number[]>('ask everybody')
          expect(answers.toSorted((a, b) => a - b)).toEqual(clients.map((_, index) => index))

          const members = async (): Promise<string[]> => await first.ask<string[]>('members', 'hall')
          await first.ask('move everybody', 'hall')
          await until('all are members', async () => (await members()).length === clients.length)
          await second.ask('leave', 'hall')
          const others = clients.filter((client) => client !== second).map(({ socket }) => socket.id)
          expect(new Set(await second.ask<string[]>('members', 'hall'))).toEqual(new Set(others))

          const servers = await first.ask<string[]>('ask servers')
          expect(new Set([...servers, own])).toEqual(new Set((await station.running(4)).map(({ id }) => String(id))))

          const noted = elsewhere.hears('noted')
          await first.ask('tell servers', 'hello')
          expect(await noted).toMatch(new RegExp(`^hello from ${own} at `))
        },
      )
    })
  }

  it('keeps what two servers say to their clients apart, in every worker', async ({ stage }) => {
    const station = await stage.start({ entry, config: FOUR }, 4)
    await withClients(
      24,
      (index) => new Client(station.port, ['websocket'], { path: index % 2 === 0 ? '/socket.io/' : '/second/' }),
      async (clients) => {
        await Promise.all(clients.map((client) => client.use()))
        const heard = clients.map(() => [] as string[])
        for (const [index, { socket }] of clients.entries()) socket.on('told', (text: string) => heard[index]?.push(text))
        const last = clients.map(
          (client) => new Promise<void>((resolve) => client.socket.on('told', (text: string) => text.endsWith('last') && resolve())),
        )
        for (const text of ['1', '2', 'last']) for (const index of [0, 1]) await clients[index]?.ask('tell everybody', `${index} ${text}`)
        await within('all hear the last', Promise.all(last))
        expect(heard).toEqual(clients.map((_, index) => ['1', '2', 'last'].map((text) => `${index % 2} ${text}`)))
        expect(await clients[0]?.ask('count')).toBe(12)
      },
    )
  })

  it('leaves nothing behind for namespaces that are closed', async ({ stage }) => {
    const station = await stage.start({ entry, config: FOUR }, 4)
    await withClients(
      1,
      () => new Client(station.port, ['websocket']),
      async ([client]) => {
        const before = await client?.ask('open and close namespaces', 1)
        expect(await client?.ask('open and close namespaces', 50)).toBe(before)
      },
    )
  })

  it('serves a second Socket.IO server on the same HTTP server, and plain requests beside both', async ({ stage }) => {
    const station = await stage.start({ entry, config: FOUR }, 4)
    await withClients(
      12,
      () => new Client(station.port, ['polling'], { path: '/second/' }),
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
      () => new Client(station.port, ['polling', 'websocket']),
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
