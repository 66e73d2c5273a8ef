import { startRedis } from 'example-app/services'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, onTestFinished } from 'vitest'
import { it } from '../processes/harness.ts'
import { until } from '../processes/harness/until.ts'
import { ask } from './harness/ask.ts'
import { Balancer } from './harness/balancer.ts'
import { Client, type Who, withClients } from './harness/client.ts'
import { Pollers } from './harness/pollers.ts'
import { allHeard, allReady, launchReplica, type Replica, startReplicas } from './harness/replicas.ts'

const polling = fileURLToPath(new URL('./fixtures/polling.mjs', import.meta.url))
const TRANSPORTS = [['polling'], ['websocket'], ['polling', 'websocket']] as const
const EACH = 4
const REPLICAS = 3
/** Several supervisors and their clients on one machine. */
const LONG = { timeout: 120_000 }

let redis: Awaited<ReturnType<typeof startRedis>>
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(async () => {
  await redis.stop()
})

async function balance(replicas: readonly Replica[]): Promise<Balancer> {
  const balancer = await Balancer.open(replicas.map(({ station }) => station.port))
  onTestFinished(() => balancer.close())
  return balancer
}

describe('Socket.IO over replicas behind a balancer that chooses by chance', () => {
  it('keeps every session on every way to speak, and rooms reach over all', LONG, async ({ stage }) => {
    const replicas = await startReplicas(stage, REPLICAS, { redisUrl: redis.url })
    const balancer = await balance(replicas)
    const make = (index: number): Client => new Client(balancer.port, TRANSPORTS[index % TRANSPORTS.length] ?? [])
    await withClients(TRANSPORTS.length * EACH, make, async (clients) => {
      const whos = await Promise.all(clients.map((client) => client.use()))
      await until('those have upgraded that may', () =>
        clients.every(({ transport }, index) => transport === (index % 3 === 0 ? 'polling' : 'websocket')),
      )
      for (let round = 0; round < 3; round++) expect(await places(clients)).toEqual(whos.map(placeOf))
      expect(new Set(whos.map(({ address }) => address))).toEqual(new Set(['127.0.0.1']))
      await Promise.all(clients.map((client) => client.ask('join', 'all')))
      // Each hears it, whichever replica it is with.
      const heard = Promise.all(clients.map((client) => client.hears('shout')))
      await until('all are in the room', async () => (await clients[0]?.ask<string[]>('members', 'all'))?.length === clients.length)
      clients[1]?.socket.emit('shout', 'all', 'hello')
      clients[2]?.socket.emit('shout', 'all', 'hello')
      expect(await heard).toEqual(clients.map(() => 'hello'))
      expect(new Set(whos.map(({ replica }) => replica)).size).toBe(REPLICAS)
      expect(await clients[0]?.ask('count')).toBe(clients.length)
      for (const [index, { socket }] of clients.entries()) socket.on('question', (reply: (answer: number) => void) => reply(index))
      const answers = await clients[0]?.ask<number[]>('ask everybody')
      expect(answers?.toSorted((a, b) => a - b)).toEqual(clients.map((_, index) => index))
      expect(await clients[0]?.ask('ask servers')).toHaveLength(REPLICAS * 2 - 1)
      const elsewhere = clients[whos.findIndex(({ replica }) => replica !== whos[0]?.replica)]
      const noted = elsewhere?.hears('noted')
      await clients[0]?.ask('tell servers', 'hello')
      expect(await noted).toBe(`hello from ${whos[0]?.worker} at ${whos[clients.indexOf(elsewhere as Client)]?.worker}`)
      expect(clients.flatMap(({ disconnects }) => disconnects)).toEqual([])
    })
    expect(new Set(balancer.chosen.keys())).toEqual(new Set(replicas.map(({ station }) => station.port)))
  })
})

async function places(clients: readonly Client[]): Promise<string[]> {
  return (await Promise.all(clients.map((client) => client.use()))).map(placeOf)
}

const placeOf = ({ replica, worker }: Who): string => `${replica} ${worker}`

describe('a replica that stops', () => {
  it('leaves its sessions to the others, with all that they missed', LONG, async ({ stage }) => {
    const options = { redisUrl: redis.url, env: { RECOVERY: '1' } }
    const [first, second] = (await startReplicas(stage, 2, options)) as [Replica, Replica]
    const balancer = await balance([first, second])
    const make = (index: number): Client => new Client(balancer.port, TRANSPORTS[index % TRANSPORTS.length] ?? [])
    await withClients(TRANSPORTS.length * EACH, make, async (clients) => {
      const heard = clients.map(() => [] as string[])
      for (const [index, client] of clients.entries()) {
        client.socket.on('told', (text: string) => heard[index]?.push(text))
        await client.ask('remember', { index })
      }
      await clients[0]?.ask('tell everybody', 'begin')
      await until('all have heard the beginning', () => heard.every(({ length }) => length === 1))
      const before = await Promise.all(clients.map((client) => client.use()))
      const ids = clients.map(({ socket }) => socket.id)
      const { id: stopped } = (await first.station.status())?.replica ?? {}
      expect(new Set(before.map(({ replica }) => replica)).size).toBe(2)
      first.station.signal('SIGTERM')
      await clients[before.findIndex(({ replica }) => replica !== stopped)]?.ask('tell everybody', 'meanwhile')
      await first.station.ends()
      await clients[0]?.ask('tell everybody', 'end')
      await until('all have heard the end', () => heard.every((those) => those.includes('end')), {
        instead: () => clients.map((client, index) => `${heard[index]?.join(', ')}; ${client.told()}`).join('\n'),
      })
      expect(heard).toEqual(clients.map(() => ['begin', 'meanwhile', 'end']))
      const after = await Promise.all(clients.map((client) => client.use()))
      expect(clients.map(({ socket }) => socket.id)).toEqual(ids)
      expect(after.map(({ data }) => data)).toEqual(clients.map((_, index) => ({ index })))
      // Of the others, those are restored too whose poll waited at the replica that stopped.
      const moved = after.filter((_, index) => before[index]?.replica === stopped)
      expect(moved.map(({ recovered }) => recovered)).toEqual(moved.map(() => true))
    })
  })
})

describe('replicas that come and go under clients that poll', () => {
  // What was on its way through the killed one is cut, and engine.io ends a session whose poll is cut: of those nothing is said here.
  it('let everybody go on when one is killed, and clients of its sessions hear of it at once', LONG, async ({ stage }) => {
    const file = path.join(stage.folder, 'runs')
    const [first, second] = (await startReplicas(stage, 2, { redisUrl: redis.url, entry: polling, env: { RUNS: file } })) as [Replica, Replica]
    const balancer = await balance([first, second])
    const pollers = new Pollers(balancer.port, 12)
    try {
      await pollers.answers(3)
      expect(await unknownSessions(file)).toEqual([])
      const sid = await sessionOf(first)
      await kill(first)
      const { status, body } = await ask({ port: second.station.port, path: `/socket.io/?EIO=4&transport=polling&sid=${sid}` })
      expect([status, body.toString()]).toEqual([400, '{"code":1,"message":"Session ID unknown"}'])
      await pollers.answers(3)
      expect(await unknownSessions(file)).toContain(sid)
    } finally {
      await pollers.stop()
    }
  })

  it('lose none when one is new and when one drains', LONG, async ({ stage }) => {
    const file = path.join(stage.folder, 'runs')
    const options = { redisUrl: redis.url, entry: polling, env: { RUNS: file } }
    const [first] = (await startReplicas(stage, 1, options)) as [Replica]
    const second = await launchReplica(stage, options)
    const balancer = await balance([first, second])
    const pollers = new Pollers(balancer.port, 6)
    await allReady(second)
    // At once, and not when all have heard of the new one.
    const newcomers = new Pollers(balancer.port, 12)
    try {
      await newcomers.answers(3)
      await pollers.answers(3)
      expect(await unknownSessions(file)).toEqual([])
      await allHeard([first, second])
      first.station.signal('SIGTERM')
      await newcomers.answers(5)
      await pollers.answers(5)
      await first.station.ends()
      expect(await unknownSessions(file)).toEqual([])
    } finally {
      await newcomers.stop()
      await pollers.stop()
    }
  })
})

/** With all that belongs to it. */
async function kill({ station }: Replica): Promise<void> {
  const workers = (await station.status())?.workers ?? []
  station.signal('SIGKILL')
  for (const { pid } of workers) if (pid !== null) process.kill(pid, 'SIGKILL')
}

/** The ids of sessions that a worker was asked for and did not know. */
async function unknownSessions(file: string): Promise<string[]> {
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n')
  return lines.flatMap((line) => / error 1 \d+ (\S+)$/.exec(line)?.[1] ?? [])
}

async function sessionOf({ station }: Replica): Promise<string> {
  const { body } = await ask({ port: station.port, path: '/socket.io/?EIO=4&transport=polling' })
  return /"sid":"([\w.-]+)"/.exec(body.toString())?.[1] as string
}
