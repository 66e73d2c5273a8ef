import { fileURLToPath } from 'node:url'
import { describe, expect } from 'vitest'
import { it } from '../processes/harness.ts'
import type { Station } from '../processes/harness/station.ts'
import { until } from '../processes/harness/until.ts'
import { Client, withClients } from './harness/client.ts'

const entry = fileURLToPath(new URL('./fixtures/rooms.mjs', import.meta.url))
const workers = { min: 1, max: 3, oversubscribe: true, spares: 0, bootTimeout: '20s' }
const CLIENTS = 30

const socketsOf = (station: Station): Promise<readonly number[]> =>
  station.until('all clients are seen', ({ workers: all }) => {
    const sockets = all.map((worker) => worker.sockets ?? 0)
    return sockets.reduce((sum, each) => sum + each, 0) === CLIENTS && sockets
  })

describe('routing.rebalance', () => {
  it('brings long-lived clients to workers that came later, none twice within the interval, and loses no acknowledgement', async ({ stage }) => {
    const station = await stage.start({ entry, config: { workers, routing: { rebalance: true, rebalanceInterval: '1s' } } }, 1)
    await withClients(
      CLIENTS,
      () => new Client(station.port, ['websocket'], { retries: undefined, ackTimeout: undefined }),
      async (clients) => {
        const movedAtMs = clients.map(() => [] as number[])
        for (const [index, { socket }] of clients.entries()) socket.on('disconnect', () => movedAtMs[index]?.push(performance.now()))
        await Promise.all(clients.map((client) => client.use()))
        expect(await socketsOf(station)).toEqual([CLIENTS])
        const answers = clients.map((client) => client.ask('slow', 500))
        await station.control.scale(3)
        expect(await Promise.all(answers)).toHaveLength(CLIENTS)
        // Ten each would be fair, a quarter and two more are left alone.
        await until('they are shared out', async () => Math.max(...(await socketsOf(station))) <= 14, { boundMs: 30_000 })
        const moved = clients.flatMap(({ disconnects }) => disconnects)
        expect(moved.length).toBeGreaterThanOrEqual(16)
        expect(new Set(moved)).toEqual(new Set(['transport close']))
        for (const times of movedAtMs)
          for (const [turn, atMs] of times.entries()) if (turn > 0) expect(atMs - (times[turn - 1] as number)).toBeGreaterThanOrEqual(1000)
        await Promise.all(clients.map((client) => client.use()))
      },
    )
  })
})
