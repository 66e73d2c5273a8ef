import { startRedis } from 'example-app/services'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { it } from '../processes/harness.ts'
import type { Station } from '../processes/harness/station.ts'
import { until } from '../processes/harness/until.ts'
import { Client, type Who, withClients } from './harness/client.ts'

const entry = fileURLToPath(new URL('./fixtures/rooms.mjs', import.meta.url))
const THREE = { workers: { min: 3, max: 4, oversubscribe: true, spares: 0, bootTimeout: '20s' } }

let redis: Awaited<ReturnType<typeof startRedis>>
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(async () => {
  await redis.stop()
})

function story(client: Client, texts: readonly string[], heard: readonly string[] = []): string {
  const missed = texts.filter((text) => !heard.includes(text))
  const twice = heard.filter((text, index) => heard.indexOf(text) !== index)
  return `missed ${missed.length} of ${texts.length} from ${missed[0]} to ${missed.at(-1)}, heard ${twice.length} twice, ${client.told()}`
}

/** Drains a worker that has one of the clients, to its end; tells which clients it had. */
async function drainOne(station: Station, whos: readonly Who[]): Promise<boolean[]> {
  const drained = whos[0]?.worker
  await station.control.drain(Number(drained))
  await station.until('it is gone', ({ workers }) => workers.every(({ id }) => String(id) !== drained))
  return whos.map(({ worker }) => worker === drained)
}

for (const [name, transports] of [
  ['polling only', ['polling']],
  ['WebSocket only', ['websocket']],
  ['an upgrade from polling', ['polling', 'websocket']],
] as const) {
  describe(`Socket.IO with Redis and ${name}`, () => {
    it('gives the clients of a drained worker their session again, with all they missed', async ({ stage }) => {
      const config = { ...THREE, redis: { url: redis.url } }
      const station = await stage.start({ entry, config, env: { RECOVERY: '1' } }, 3)
      await withClients(
        12,
        (index) => new Client(station.port, transports, index === 0 ? {} : { reconnectionDelay: 300, reconnectionDelayMax: 600 }),
        async (clients) => {
          const heard = clients.map(() => [] as string[])
          for (const [index, client] of clients.entries()) {
            client.socket.on('told', (text: string) => heard[index]?.push(text))
            await client.ask('remember', { index })
          }
          const before = await Promise.all(clients.map((client) => client.use()))
          const ids = clients.map(({ socket }) => socket.id)
          // A client that was never told anything has no place in the stream from which it could go on.
          const texts = ['begin']
          await clients[0]?.ask('tell everybody', 'begin')
          await until('all have heard the beginning', () => heard.every(({ length }) => length === 1))
          let isOver = false
          const telling = (async (): Promise<void> => {
            for (const teller = clients.find((_, index) => before[index]?.worker !== before[0]?.worker); !isOver; ) {
              const text = `news ${texts.length}`
              await teller?.ask('tell everybody', text)
              texts.push(text)
              await pause(10) // a busy room, not a flood that Redis has to forget the beginning of
            }
          })()
          const moved = await drainOne(station, before).finally(() => {
            isOver = true
          })
          await telling
          await until('all have heard everything', () => heard.every((those) => those.includes(texts.at(-1) as string)), {
            instead: () => clients.map((client, index) => `${index}: ${story(client, texts, heard[index])}`).join('\n'),
          })
          for (const [index, those] of heard.entries()) expect(those, story(clients[index] as Client, texts, those)).toEqual(texts)
          const after = await Promise.all(clients.map((client) => client.use()))
          expect(clients.map(({ socket }) => socket.id)).toEqual(ids)
          expect(after.map(({ data }) => data)).toEqual(clients.map((_, index) => ({ index })))
          expect(after.map(({ recovered }) => recovered)).toEqual(moved)
          for (const [index, { worker }] of after.entries()) expect(worker === before[index]?.worker).toBe(!moved[index])
        },
      )
    })
  })
}
