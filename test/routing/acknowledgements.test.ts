import { fileURLToPath } from 'node:url'
import { describe, expect } from 'vitest'
import { it } from '../processes/harness.ts'
import { Client, withClients } from './harness/client.ts'

const entry = fileURLToPath(new URL('./fixtures/rooms.mjs', import.meta.url))
const workers = { min: 2, max: 3, oversubscribe: true, spares: 0, bootTimeout: '20s' }
/** Nothing is said twice. */
const ONCE = { retries: undefined, ackTimeout: undefined }

describe('An acknowledgement under way when a worker drains', () => {
  for (const transports of [['polling'], ['websocket']] as const) {
    it(`arrives before the client is told to leave (${transports[0]})`, async ({ stage }) => {
      const station = await stage.start({ entry, config: { workers, drain: { timeout: '10s' } } }, 2)
      await withClients(
        8,
        () => new Client(station.port, transports, ONCE),
        async (clients) => {
          const owners = await Promise.all(clients.map(async (client) => (await client.use()).worker))
          const answers = clients.map((client) => client.ask('slow', 1000))
          await Promise.all(clients.map((client) => client.use())) // so the worker has the slow ones as well
          const gone = station.control.drain(Number(owners[0]))
          expect(await Promise.all(answers)).toEqual(owners)
          await gone
          await station.until('it is gone', ({ workers: all }) => all.every(({ id }) => String(id) !== owners[0]))
          for (const client of clients) expect((await client.use()).worker).not.toBe(owners[0])
        },
      )
    })
  }

  it('is waited for when the client owes it, too', async ({ stage }) => {
    const station = await stage.start({ entry, config: { workers, drain: { timeout: '10s' } } }, 2)
    await withClients(
      6,
      () => new Client(station.port, ['websocket'], ONCE),
      async (clients) => {
        const owners = await Promise.all(clients.map(async (client) => (await client.use()).worker))
        const asker = clients[0] as Client
        const asked = clients.map(
          ({ socket }, index) => new Promise<(answer: number) => void>((resolve) => socket.on('question', (reply) => resolve(() => reply(index)))),
        )
        const answers = asker.ask<number[]>('ask everybody')
        const replies = await Promise.all(asked)
        await station.control.drain(Number(owners[0]))
        await station.until('it drains', ({ workers: all }) => all.some(({ id, state }) => String(id) === owners[0] && state === 'draining'))
        for (const reply of replies) reply(0)
        expect((await answers).toSorted((a, b) => a - b)).toEqual(clients.map((_, index) => index))
        await station.until('it is gone', ({ workers: all }) => all.every(({ id }) => String(id) !== owners[0]))
      },
    )
  })

  it('that never comes ends no later than the drain', async ({ stage }) => {
    const station = await stage.start({ entry, config: { workers, drain: { timeout: '3s' } } }, 2)
    await withClients(
      1,
      () => new Client(station.port, ['websocket'], ONCE),
      async (clients) => {
        const client = clients[0] as Client
        const { worker } = await client.use()
        client.socket.emit('slow', 50_000, () => {})
        await client.use()
        await station.control.drain(Number(worker))
        expect(await station.noted('worker:drained')).toMatchObject({ level: 'info', cutConnections: 0, cutRequests: 0 })
        expect((await client.use()).worker).not.toBe(worker)
      },
    )
  })
})
