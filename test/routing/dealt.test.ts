import { once } from 'node:events'
import { cp, readFile, symlink } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect } from 'vitest'
import { it, type Stage } from '../processes/harness.ts'
import type { Station } from '../processes/harness/station.ts'
import { until, within } from '../processes/harness/until.ts'
import { REQUEST, RawClient } from '../worker/harness.ts'
import { Client, type Who, withClients } from './harness/client.ts'

const entry = fileURLToPath(new URL('./fixtures/rooms.mjs', import.meta.url))
const troubled = fileURLToPath(new URL('./fixtures/dealt.mjs', import.meta.url))
const supervisor = fileURLToPath(new URL('../../packages/supervisor', import.meta.url))
const CLIENTS = 6

/** As npm installs it where no optional peer is wanted; answers with the command. */
async function installWithoutPeers(folder: string): Promise<string> {
  const modules = path.join(folder, 'node_modules')
  const installed = path.join(modules, 'stationmaster')
  await cp(path.join(supervisor, 'dist'), path.join(installed, 'dist'), { recursive: true })
  await cp(path.join(supervisor, 'package.json'), path.join(installed, 'package.json'))
  const { dependencies } = JSON.parse(await readFile(path.join(installed, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
  for (const name of Object.keys(dependencies)) await symlink(path.join(supervisor, 'node_modules', name), path.join(modules, name))
  return path.join(installed, 'dist', 'cli.js')
}

async function start(stage: Stage, workers = 2, spares = 1): Promise<Station> {
  const config = { workers: { min: workers, max: 4, oversubscribe: true, spares, bootTimeout: '20s' }, routing: { engine: 'socket.io-sticky' } }
  const station = await stage.launch({ entry, config })
  await station.until('all workers', ({ fleet, workers: all }) => fleet.ready === workers && all.length === workers + spares)
  return station
}

const uses = (clients: readonly Client[]) => Promise.all(clients.map((client) => client.use()))

describe('routing.engine socket.io-sticky', () => {
  for (const [name, transports, path] of [
    ['polling only', ['polling'], '/socket.io/'],
    ['WebSocket only', ['websocket'], '/socket.io/'],
    ['an upgrade from polling', ['polling', 'websocket'], '/socket.io/'],
    ['polling to a second Socket.IO server', ['polling'], '/second/'],
  ] as const) {
    it(`keeps every session with ${name}, over all workers that are ready`, async ({ stage }) => {
      const station = await start(stage)
      await withClients(
        CLIENTS,
        () => new Client(station.port, transports, { path, autoConnect: false }),
        async (clients) => {
          // One after another: the library sees a client when its session is there, so those that come at the same moment go to the same worker.
          const before: Who[] = []
          for (const client of clients) before.push(await client.open().use())
          await until('the last transport', () => clients.every(({ transport }) => transport === transports.at(-1)))
          const after = await uses(clients)
          expect(after.map(({ worker }) => worker)).toEqual(before.map(({ worker }) => worker))
          expect(clients.flatMap(({ disconnects }) => disconnects)).toEqual([])
          const ready = (await station.status())?.workers.filter(({ state }) => state === 'ready').map(({ id }) => String(id))
          expect(new Set(after.map(({ worker }) => worker))).toEqual(new Set(ready))
          // Workers hear of each other a moment after they have begun.
          await until('all are counted', async () => (await clients[0]?.ask('count')) === CLIENTS)
        },
      )
    })
  }

  it('says once what it cannot do, and closes each connection after one response', async ({ stage }) => {
    const station = await start(stage, 1)
    expect(station.notes().filter(({ level, msg }) => level === 'warn' && msg.includes('socket.io-sticky'))).toHaveLength(1)
    const client = new RawClient(station.port)
    client.say(REQUEST)
    await within('the end of the connection', client.closed)
    expect(client.heard).toMatch(/^HTTP\/1.1 200 OK\r\n/)
    expect(client.heard).toMatch(/\r\nConnection: close\r\n/)
  })

  for (const [kind, complaint] of [
    ['has TLS', '@socket.io/sticky cannot look into TLS: long-polling sessions are lost.'],
    ['is attached late', 'call attachSocketIO(io) before the server listens.'],
    ['has two servers', '@socket.io/sticky serves one HTTP server only'],
  ] as const) {
    it(`starts an app that ${kind}, and says what is lost`, async ({ stage }) => {
      const workers = { min: 1, max: 1, spares: 0, bootTimeout: '20s' }
      const station = await stage.start({ entry: troubled, config: { workers, routing: { engine: 'socket.io-sticky' } }, env: { KIND: kind } }, 1)
      await until('the complaint', () => station.stderr.includes(complaint), { instead: () => station.told() })
    })
  }

  it('says what to add where its package is not installed, and starts nothing', async ({ stage }) => {
    const cli = await installWithoutPeers(stage.folder)
    const through = ([node, , ...args]: readonly string[]) => [node as string, cli, ...args]
    // Package managers may name places where everything is found.
    const env = { NODE_PATH: '' }
    const station = await stage.launch({ app: 'plain', config: { routing: { engine: 'socket.io-sticky' } }, through, env })
    expect(await station.ends()).toEqual({ code: 2, signal: null })
    expect(station.told()).toContain('needs the package @socket.io/sticky, which could not be loaded. Add it to the dependencies')
    expect(station.notes('worker:forked')).toEqual([])
  })

  it('goes on through scale, reload and drain: whose worker leaves finds another', async ({ stage }) => {
    const station = await start(stage)
    await withClients(
      CLIENTS,
      () => new Client(station.port, ['polling', 'websocket']),
      async (clients) => {
        const first = await uses(clients)
        await station.control.scale(3)
        await station.until('three workers', ({ fleet }) => fleet.ready === 3)
        expect((await uses(clients)).map(({ worker }) => worker)).toEqual(first.map(({ worker }) => worker))
        await station.control.reload()
        const old = new Set(first.map(({ worker }) => worker))
        await station.until('the old ones to be gone', ({ workers }) => workers.every(({ id }) => !old.has(String(id))))
        const second = await uses(clients)
        const drained = second[0]?.worker as string
        await station.control.drain(Number(drained))
        await station.until('it is gone', ({ workers }) => workers.every(({ id }) => String(id) !== drained))
        for (const { worker } of await uses(clients)) expect(worker).not.toBe(drained)
      },
    )
  })

  it('lets clients wait while nobody can serve', async ({ stage }) => {
    const station = await start(stage, 1, 0)
    const [only] = await station.running(1)
    process.kill(only?.pid as number, 'SIGKILL')
    await station.noted('worker:exited')
    const client = new RawClient(station.port)
    await within('a connection', once(client.socket, 'connect'))
    client.say(REQUEST)
    await within('an answer', client.closed, { instead: () => station.told() })
    expect(client.heard).toMatch(/^HTTP\/1.1 200 OK\r\n/)
  })
})
