import { fileURLToPath } from 'node:url'
import { describe, expect } from 'vitest'
import { it } from '../processes/harness.ts'
import { until } from '../processes/harness/until.ts'
import { ask } from './harness/ask.ts'
import { Client, withClients } from './harness/client.ts'
import { Fleet } from './harness/fleet.ts'

const rooms = fileURLToPath(new URL('./fixtures/rooms.mjs', import.meta.url))
const WORKERS = 3
const TRANSPORTS = [['polling'], ['websocket'], ['polling', 'websocket']] as const
const LAST = ['polling', 'websocket', 'websocket']

describe("with Node's own round robin, which brings each connection to another worker", () => {
  it('Socket.IO keeps every session', async ({ stage }) => {
    const workers = { min: WORKERS, max: WORKERS, oversubscribe: true, spares: 0, bootTimeout: '20s' }
    const station = await stage.start({ entry: rooms, config: { workers, routing: { balance: 'round-robin' } } }, WORKERS)
    const make = (index: number): Client => new Client(station.port, TRANSPORTS[index % TRANSPORTS.length] ?? [])
    await withClients(12, make, async (clients) => {
      const before = await Promise.all(clients.map((client) => client.use()))
      await until('the last transports', () => clients.every(({ transport }, index) => transport === LAST[index % LAST.length]))
      const after = await Promise.all(clients.map((client) => client.use()))
      expect(after.map(({ worker }) => worker)).toEqual(before.map(({ worker }) => worker))
      expect(new Set(before.map(({ worker }) => worker)).size).toBeGreaterThan(1)
      expect(clients.flatMap(({ disconnects }) => disconnects)).toEqual([])
    })
  })

  it('a cookie is brought to its worker', async ({ stage }) => {
    const fleet = await Fleet.open(stage, { workers: WORKERS, config: { routing: { sticky: { cookie: 'sid' }, balance: 'round-robin' } } })
    expect(fleet.sids.size).toBe(WORKERS)
    const { port } = fleet.station
    for (const [worker, sid] of fleet.sids) {
      for (let turn = 0; turn < 2 * WORKERS; turn++) {
        const { headers } = await ask({ port, path: '/who', headers: { cookie: `sid=${sid}` } })
        expect(headers['x-worker']).toBe(worker)
      }
    }
    const { client, cookie, owner } = await fleet.foreign()
    client.say(`GET /who HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\n\r\n`)
    await client.hears('"encrypted"')
    expect(client.heard).toContain(`"worker":"${owner}"`)
    client.socket.destroy()
  })
})
