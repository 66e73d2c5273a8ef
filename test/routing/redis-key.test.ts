import { type Service, startRedis } from 'example-app/services'
import { afterAll, beforeAll, expect } from 'vitest'
import { type Stage, it } from '../processes/harness.ts'
import { until } from '../processes/harness/until.ts'
import { Client, withClients } from './harness/client.ts'
import { allHeard, allReady, launchReplica, type Replica } from './harness/replicas.ts'

let redis: Service
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(async () => {
  await redis.stop()
})

async function launch(stage: Stage, key: string): Promise<Replica> {
  return await launchReplica(stage, { redisUrl: redis.url, config: { redis: { url: redis.url, key } } })
}

const clientOf = ({ station }: Replica): Client => new Client(station.port, ['websocket'])
const peersOf = async ({ station }: Replica): Promise<number | undefined> => (await station.status())?.replica.peers

it('services of two redis.key do not see each other on one Redis, nor hear what the other broadcasts; those of one key do', async ({ stage }) => {
  const shops = [await launch(stage, 'shop'), await launch(stage, 'shop')] as const
  const blog = await launch(stage, 'blog')
  const all = [...shops, blog]
  await Promise.all(all.map((replica) => allReady(replica)))
  await Promise.all([allHeard(shops), allHeard([blog])])
  const isConnected = async (): Promise<boolean> => (await blog.station.status())?.replica.coordination === 'redis'
  await until('the blog in Redis', isConnected)
  await withClients(
    all.length,
    (index) => clientOf(all[index] as Replica),
    async (clients) => {
      const [one, other, reader] = clients as [Client, Client, Client]
      const heard = clients.map(() => [] as string[])
      for (const [index, { socket }] of clients.entries()) socket.on('told', (text: string) => heard[index]?.push(text))
      await Promise.all(clients.map((client) => client.use()))
      await one.ask('tell everybody', 'of the shop')
      await until('the other shop has heard it', () => heard[1]?.includes('of the shop'))
      // Redis keeps the order, so what the reader was to hear it has heard by now.
      await reader.ask('tell everybody', 'of the blog')
      await until('the blog has heard its own', () => heard[2]?.includes('of the blog'))
      await other.ask('tell everybody', 'the end')
      await until('the shops have heard the end', () => heard[0]?.includes('the end') && heard[1]?.includes('the end'))
      expect(heard).toEqual([['of the shop', 'the end'], ['of the shop', 'the end'], ['of the blog']])
      expect([await one.ask('count'), await reader.ask('count')]).toEqual([2, 1])
    },
  )
  expect(await Promise.all(all.map(peersOf))).toEqual([2, 2, 1])
}, 120_000)
