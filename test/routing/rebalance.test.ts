import { startRedis } from 'example-app/services'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { it } from '../processes/harness.ts'
import type { Station } from '../processes/harness/station.ts'
import { until } from '../processes/harness/until.ts'
import { Client, withClients } from './harness/client.ts'

const entry = fileURLToPath(new URL('./fixtures/rooms.mjs', import.meta.url))
const workers = { min: 1, max: 3, oversubscribe: true, spares: 0, bootTimeout: '20s' }
const CLIENTS = 30

let redis: Awaited<ReturnType<typeof startRedis>>
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(async () => {
  await redis.stop()
})

const socketsOf = (station: Station): Promise<readonly number[]> =>
  station.until('all clients are seen', ({ workers: all }) => {
    const sockets = all.map((worker) => worker.sockets ?? 0)
    return sockets.reduce((sum, each) => sum + each, 0) === CLIENTS && sockets
  })

/** Ten each would be fair, a quarter and two more are left alone. */
const areSharedOut = (station: Station): Promise<boolean> =>
  until('they are shared out', async () => Math.max(...(await socketsOf(station))) <= 14, { boundMs: 30_000 })

const [INTERVAL_MS, TICK_MS, ASKED_AT_A_TICK] = [3000, 1000, 5]
/** Clocks of different processes are read in whole milliseconds. */
const CLOCK_MS = 2

/** When which client was asked to connect again. */
class Asks {
  /** Connections end for another reason now. */
  areCuts = false
  readonly atMs: number[] = []
  /** How long those that were asked had been where they were, at the most. */
  readonly stayedMs: number[] = []
  readonly times = new Map<Client, number>()

  watch(client: Client): Client {
    let cameAfterMs = performance.now()
    client.socket.on('disconnect', (reason) => {
      const nowMs = performance.now()
      if (!this.areCuts && reason !== 'io client disconnect') {
        this.atMs.push(nowMs)
        this.stayedMs.push(nowMs - cameAfterMs)
        this.times.set(client, (this.times.get(client) ?? 0) + 1)
      }
      cameAfterMs = nowMs
    })
    return client
  }
}

describe('routing.rebalance', () => {
  it('brings long-lived clients to workers that came later, and loses no acknowledgement', async ({ stage }) => {
    const station = await stage.start({ entry, config: { workers, routing: { rebalance: true, rebalanceInterval: '1s' } } }, 1)
    await withClients(
      CLIENTS,
      () => new Client(station.port, ['websocket'], { retries: undefined, ackTimeout: undefined }),
      async (clients) => {
        await Promise.all(clients.map((client) => client.use()))
        expect(await socketsOf(station)).toEqual([CLIENTS])
        const answers = clients.map((client) => client.ask('slow', 500))
        await station.control.scale(3)
        expect(await Promise.all(answers)).toHaveLength(CLIENTS)
        await areSharedOut(station)
        const moved = clients.flatMap(({ disconnects }) => disconnects)
        expect(moved.length).toBeGreaterThanOrEqual(16)
        expect(new Set(moved)).toEqual(new Set(['transport close']))
        await Promise.all(clients.map((client) => client.use()))
      },
    )
  })
  it('asks a few a second, and nobody twice within the interval', { timeout: 90_000 }, async ({ stage }) => {
    const routing = { rebalance: true, rebalanceInterval: `${INTERVAL_MS}ms` }
    // Who is killed comes back only when its clients are with others.
    const config = { workers, routing, sampling: { interval: `${TICK_MS}ms` }, restart: { backoff: '5s', backoffMax: '5s' } }
    const station = await stage.start({ entry, config }, 1)
    const asks = new Asks()
    await withClients(
      CLIENTS,
      () => asks.watch(new Client(station.port, ['websocket'], { retries: undefined, ackTimeout: undefined })),
      async (clients) => {
        await Promise.all(clients.map((client) => client.use()))
        const fromMs = performance.now()
        await station.control.scale(3)
        await areSharedOut(station)
        expect(asks.atMs.length).toBeGreaterThanOrEqual(CLIENTS - 14)
        // One worker is too full, and asks so many at each tick; a tick that was late may be followed by the next one early.
        const ticks = Math.ceil(asks.atMs.length / ASKED_AT_A_TICK) - 2
        expect((asks.atMs.at(-1) as number) - fromMs).toBeGreaterThanOrEqual(ticks * TICK_MS)
        // All go back to the first one, which asks again; those too that it had asked before.
        const [, ...others] = await station.running(3)
        asks.areCuts = true
        for (const { pid } of others) process.kill(pid as number, 'SIGKILL')
        await station.until('all are with one', ({ workers: [only, ...rest] }) => only?.sockets === CLIENTS && rest.every(({ pid }) => pid === null))
        asks.areCuts = false
        await station.running(3)
        await areSharedOut(station)
        expect(Math.max(...asks.times.values())).toBeGreaterThanOrEqual(2)
        for (const stayedMs of asks.stayedMs) expect(stayedMs).toBeGreaterThanOrEqual(INTERVAL_MS - CLOCK_MS)
      },
    )
  })

  it('loses nothing with state recovery: who has moved goes on with the same session, and hears all that was said meanwhile', async ({ stage }) => {
    const config = { workers, routing: { rebalance: true, rebalanceInterval: '1s' }, redis: { url: redis.url } }
    const station = await stage.start({ entry, config, env: { RECOVERY: '1' } }, 1)
    // Only WebSocket clients are asked to move.
    const teller = new Client(station.port, ['polling'])
    await withClients(
      CLIENTS,
      // Back only after some words were said, so that there is something to miss.
      () => new Client(station.port, ['websocket'], { reconnectionDelay: 200, reconnectionDelayMax: 400 }),
      async (clients) => {
        const heard = clients.map(() => [] as string[])
        for (const [index, { socket }] of clients.entries()) socket.on('told', (text: string) => heard[index]?.push(text))
        await Promise.all(clients.map((client) => client.use()))
        const ids = clients.map(({ socket }) => socket.id)
        // A client that was never told anything has no place in the stream from which it could go on.
        const texts = ['begin']
        await teller.ask('tell everybody', 'begin')
        await until('all have heard the beginning', () => heard.every(({ length }) => length === 1))
        const missed = clients.map(() => 0)
        for (const [index, { socket }] of clients.entries()) {
          socket.on('disconnect', () => {
            const before = texts.length
            socket.once('connect', () => (missed[index] = texts.length - before))
          })
        }
        let isOver = false
        const telling = (async (): Promise<void> => {
          while (!isOver) {
            const text = `news ${texts.length}`
            await teller.ask('tell everybody', text)
            texts.push(text)
            await pause(10) // a busy room, not a flood that Redis has to forget the beginning of
          }
        })()
        await station.control.scale(3)
        await areSharedOut(station).finally(() => {
          isOver = true
        })
        await telling
        expect(missed.filter((count) => count > 0).length).toBeGreaterThan(0)
        await until('all have heard everything', () => heard.every((those) => those.includes(texts.at(-1) as string)))
        for (const those of heard) expect(those).toEqual(texts)
        const after = await Promise.all(clients.map((client) => client.use()))
        expect(clients.map(({ socket }) => socket.id)).toEqual(ids)
        expect(after.map(({ recovered }) => recovered)).toEqual(clients.map(({ disconnects }) => disconnects.length > 0))
        expect(after.filter(({ recovered }) => recovered).length).toBeGreaterThanOrEqual(16)
      },
    ).finally(() => teller.socket.close())
  })
})
