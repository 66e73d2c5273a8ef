import { startRedis } from 'example-app/services'
import { expect } from 'vitest'
import { it } from '../processes/harness.ts'
import { Client, withClients } from './harness/client.ts'
import { allReady, launchReplica } from './harness/replicas.ts'

it('of a Redis that answers nothing for longer than commands may last, those who wait for it are told; no worker ends, and no client is lost', async ({
  stage,
}) => {
  const redis = await startRedis()
  try {
    const replica = await launchReplica(stage, { redisUrl: redis.url, env: { RECOVERY: 'yes' } })
    await allReady(replica)
    const { station } = replica
    await withClients(
      3,
      (index) => new Client(station.port, ['websocket'], { retries: 0, ackTimeout: 40_000, autoConnect: index < 2 }),
      async ([one, other, late]) => {
        const before = await Promise.all([one?.use(), other?.use()])
        process.kill(redis.pid as number, 'SIGSTOP')
        // Its session is told to Redis, without anybody waiting for that.
        other?.socket.io.engine.close()
        late?.open()
        await one?.ask('tell servers', 'hello')
        expect(await one?.ask('try to ask servers')).toBe('Command timed out')
        expect(await one?.ask('try to ask servers')).toBe('Command timed out')
        expect([await one?.use(), one?.disconnects]).toEqual([before[0], []])
        process.kill(redis.pid as number, 'SIGCONT')
        expect(new Set(await one?.ask<string[]>('try to ask servers'))).toHaveProperty('size', 1)
        expect([await late?.use(), await other?.use()]).toMatchObject([{ replica: before[0]?.replica }, { replica: before[0]?.replica }])
      },
    )
    expect((await station.status())?.workers.map(({ id }) => id)).toEqual([1, 2])
  } finally {
    await redis.stop()
  }
}, 120_000)
