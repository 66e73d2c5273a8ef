import { createHash, randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import { it } from '../processes/harness.ts'
import { within } from '../processes/harness/until.ts'
import { RawClient } from '../worker/harness.ts'
import { Fleet, type Foreign, seenIn } from './harness/fleet.ts'

/** More than enough for a connection to follow its requests. */
const MANY = 30

/** Asks over the connection, and hears who answers. */
async function ask({ client, cookie }: Pick<Foreign, 'client' | 'cookie'>): Promise<string> {
  client.heard = ''
  client.say(`GET /who HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\n\r\n`)
  await within('an answer', client.hears('"encrypted"'))
  return seenIn(client.heard).worker
}

async function askMany(foreign: Foreign): Promise<Set<string>> {
  const workers = new Set<string>()
  for (let turn = 0; turn < MANY; turn++) workers.add(await ask(foreign))
  return workers
}

async function holds(fleet: Fleet, connections: Readonly<Record<string, number>>): Promise<void> {
  await fleet.station.until(`connections as ${JSON.stringify(connections)}`, ({ workers }) =>
    Object.entries(connections).every(([worker, count]) => workers.find(({ id }) => String(id) === worker)?.connections === count),
  )
}

it('a kept-alive connection moves to the worker to which all its requests belong', async ({ stage }) => {
  const fleet = await Fleet.open(stage)
  const foreign = await fleet.foreign()
  await holds(fleet, { [foreign.acceptor]: 1, [foreign.owner]: 0 })
  expect([...(await askMany(foreign))]).toEqual([foreign.owner])
  await holds(fleet, { [foreign.acceptor]: 0, [foreign.owner]: 1 })
  expect(await ask(foreign)).toBe(foreign.owner)
  foreign.client.socket.destroy()
}, 60_000)

it('one that clients share goes on bringing each request to its own worker, wherever it is', async ({ stage }) => {
  const fleet = await Fleet.open(stage)
  const foreign = await fleet.foreign()
  const { client } = foreign
  await askMany(foreign)
  await holds(fleet, { [foreign.owner]: 1 })
  const cookieOf = (worker: string): string => `sid=${fleet.sids.get(worker)}`
  for (let turn = 0; turn < 3 * MANY; turn++) {
    const worker = turn % 3 === 0 ? foreign.owner : foreign.acceptor
    expect(await ask({ client, cookie: cookieOf(worker) })).toBe(worker)
  }
  const back = { ...foreign, cookie: cookieOf(foreign.acceptor) }
  expect([...(await askMany(back))]).toEqual([foreign.acceptor])
  await holds(fleet, { [foreign.owner]: 0, [foreign.acceptor]: 1 })
  client.socket.destroy()
}, 60_000)

it('those that have come are not sent away for the sake of balance: they would come back', async ({ stage }) => {
  const fleet = await Fleet.open(stage)
  const first = await fleet.foreign()
  const { owner, cookie } = first
  const foreigners = [first]
  await askMany(first)
  while (foreigners.length < 8) {
    const next = { ...(await fleet.foreign()), cookie, owner }
    if (next.acceptor !== owner) {
      await askMany(next)
      foreigners.push(next)
    } else next.client.socket.destroy()
  }
  await holds(fleet, { [owner]: 8, [first.acceptor]: 0 })
  const { uptimeS = 0 } = (await fleet.station.status()) ?? {}
  await fleet.station.until('the fleet was looked at a few times more', (status) => status.uptimeS > uptimeS + 3)
  for (const foreign of foreigners) {
    expect(await ask(foreign)).toBe(owner)
    expect(foreign.client.heard).not.toMatch(/connection: close/i)
    foreign.client.socket.destroy()
  }
}, 60_000)

it('no byte is lost of a client that never waits: in pieces that end anywhere, several requests at once, with bodies', async ({ stage }) => {
  const fleet = await Fleet.open(stage)
  const { client, cookie, owner, acceptor } = await fleet.foreign()
  const bodies = Array.from({ length: 10 * MANY }, (_, index) => randomBytes(index % 3 === 0 ? index : 0))
  const head = (length: number): string =>
    `${length ? 'POST' : 'GET'} /who HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\nContent-Length: ${length}\r\n\r\n`
  const hashes = (): string[] => [...client.heard.matchAll(/"hash":"(\w+)"/g)].map(([, hash = '']) => hash)
  let left = Buffer.alloc(0)
  for (const [index, body] of bodies.entries()) {
    left = Buffer.concat([left, Buffer.from(head(body.length)), body])
    // Each piece ends somewhere in a request; now and then all that was said has been answered.
    const end = index % 5 === 4 ? left.length : left.length - 1 - (index % 40)
    client.socket.write(left.subarray(0, end))
    left = left.subarray(end)
    const complete = left.length === 0 ? index + 1 : index
    while (index % 5 >= 3 && hashes().length < complete) await within('the answers so far', client.hearsMore())
  }
  expect(hashes()).toEqual(bodies.map((body) => createHash('sha256').update(body).digest('hex')))
  expect(new Set([...client.heard.matchAll(/"worker":"(\d+)"/g)].map(([, worker]) => worker))).toEqual(new Set([owner]))
  await holds(fleet, { [owner]: 1, [acceptor]: 0 })
  client.socket.destroy()
}, 60_000)

it('one that has moved and is not used again ends as it would have: silently, when the server waits no longer', async ({ stage }) => {
  const fleet = await Fleet.open(stage, { env: { SERVER_OPTIONS: JSON.stringify({ keepAliveTimeout: 3000 }) } })
  const foreign = await fleet.foreign()
  await askMany(foreign)
  await holds(fleet, { [foreign.owner]: 1 })
  foreign.client.heard = ''
  await within('its end', foreign.client.closed)
  expect(foreign.client.heard).toBe('')
}, 60_000)

it.for([
  ['than its clients have for a first request', { SERVER_OPTIONS: JSON.stringify({ keepAliveTimeout: 70_000, headersTimeout: 60_000 }) }],
  ['than a connection may be silent', { SERVER_OPTIONS: JSON.stringify({ keepAliveTimeout: 30_000 }), IDLE_MS: '20000' }],
  ['than any time', { SERVER_OPTIONS: JSON.stringify({ keepAliveTimeout: 0 }) }],
] as const)('one whose server waits longer for a further request %s stays where it is', async ([, env], { stage }) => {
  const fleet = await Fleet.open(stage, { env })
  const foreign = await fleet.foreign()
  expect([...(await askMany(foreign))]).toEqual([foreign.owner])
  const { uptimeS = 0 } = (await fleet.station.status()) ?? {}
  await fleet.station.until('a report more', (status) => status.uptimeS > uptimeS + 2)
  await holds(fleet, { [foreign.owner]: 0, [foreign.acceptor]: 1 })
  foreign.client.socket.destroy()
})

it('ends with the worker to which it has moved, and the next one is answered by others', async ({ stage }) => {
  const fleet = await Fleet.open(stage)
  const foreign = await fleet.foreign()
  await askMany(foreign)
  await holds(fleet, { [foreign.owner]: 1, [foreign.acceptor]: 0 })
  process.kill(await fleet.pidOf(foreign.owner), 'SIGKILL')
  await within('its end', foreign.client.closed)
  const next = new RawClient(fleet.station.port)
  expect(await ask({ client: next, cookie: foreign.cookie })).not.toBe(foreign.owner)
  next.socket.destroy()
}, 60_000)
