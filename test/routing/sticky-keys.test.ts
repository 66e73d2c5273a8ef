import { createHash, randomBytes } from 'node:crypto'
import http from 'node:http'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect } from 'vitest'
import { WebSocket } from 'ws'
import { it } from '../processes/harness.ts'
import type { Station } from '../processes/harness/station.ts'
import { within } from '../processes/harness/until.ts'
import { type Answer, ask as askAnyone } from './harness/ask.ts'

const entry = fileURLToPath(new URL('./fixtures/remembers.mjs', import.meta.url))
const workers = { min: 4, max: 5, oversubscribe: true, spares: 0, bootTimeout: '20s' }
const BY_COOKIE = { workers, routing: { sticky: { cookie: 'sid' } } }

interface Seen {
  readonly worker: string
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string>
  readonly bytes: number
  readonly hash: string
  readonly address: string
}

const ask = (station: Station, path: string, options: http.RequestOptions = {}, body?: Buffer): Promise<Answer> =>
  askAnyone({ port: station.port, path, ...options }, body)

async function seen(station: Station, sid: string, options: http.RequestOptions = {}, body?: Buffer): Promise<Seen> {
  const headers = { cookie: `sid=${sid}`, ...(options.headers as http.OutgoingHttpHeaders | undefined) }
  const answer = await ask(station, '/some?x=1', { ...options, headers }, body)
  return JSON.parse(answer.body.toString()) as Seen
}

const SIDS = Array.from({ length: 20 }, (_, index) => `client-${index}`)

describe('routing.sticky', () => {
  it('brings a cookie to the same worker, on new connections and on one that many clients share', async ({ stage }) => {
    const station = await stage.start({ entry, config: BY_COOKIE }, 4)
    const owners = new Map<string, string>()
    for (const sid of SIDS) owners.set(sid, (await seen(station, sid)).worker)
    expect(new Set(owners.values()).size).toBeGreaterThan(1)
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    for (const sid of [...SIDS, ...SIDS.toReversed()]) expect((await seen(station, sid, { agent })).worker).toBe(owners.get(sid))
    agent.destroy()
  })

  it('keeps a client in its slot through a reload, and moves few when a worker comes', async ({ stage }) => {
    const station = await stage.start({ entry, config: BY_COOKIE }, 4)
    const slotOf = async (sid: string): Promise<number | undefined> => {
      const { worker } = await seen(station, sid)
      return (await station.status())?.workers.find(({ id }) => String(id) === worker)?.slot
    }
    const slots = new Map<string, number | undefined>()
    for (const sid of SIDS) slots.set(sid, await slotOf(sid))
    await station.control.reload()
    for (const sid of SIDS) expect([sid, await slotOf(sid)]).toEqual([sid, slots.get(sid)])
    await station.control.scale(5)
    for (const sid of SIDS) expect([slots.get(sid), 4]).toContain(await slotOf(sid))
  })

  it('passes bodies, headers, statuses and addresses on as they are', async ({ stage }) => {
    const station = await stage.start({ entry, config: BY_COOKIE }, 4)
    for (const sid of SIDS.slice(0, 8)) {
      const body = randomBytes(300_000)
      const headers = { 'x-stationmaster-client': 'forged', 'X-Twice': 'one', 'content-type': 'application/octet-stream' }
      const got = await seen(station, sid, { method: 'POST', headers }, body)
      expect(got).toMatchObject({ method: 'POST', url: '/some?x=1', bytes: body.length, address: '127.0.0.1' })
      expect(got.hash).toBe(createHash('sha256').update(body).digest('hex'))
      expect(got.headers['x-twice']).toBe('one')
      // A header as any other: nothing of ours is said in headers.
      expect(got.headers['x-stationmaster-client']).toBe('forged')
      expect(Object.keys(got.headers).filter((name) => name.startsWith('x-stationmaster'))).toEqual(['x-stationmaster-client'])
      const plain = await ask(station, '/some', { headers: { cookie: `sid=${sid}` } })
      expect(plain.headers['set-cookie']).toEqual(['a=1', 'b=2'])
      expect(Object.keys(plain.headers).filter((name) => name.startsWith('x-stationmaster'))).toEqual([])
      const big = await ask(station, '/big', { headers: { cookie: `sid=${sid}`, 'x-bytes': '5000000' } })
      expect(big.body.length).toBe(5_000_000)
    }
  })

  it('brings WebSockets to the same worker as requests, byte by byte', async ({ stage }) => {
    const station = await stage.start({ entry, config: BY_COOKIE }, 4)
    for (const sid of SIDS.slice(0, 12)) {
      const { worker } = await seen(station, sid)
      const socket = new WebSocket(`ws://127.0.0.1:${station.port}/`, { headers: { cookie: `sid=${sid}` } })
      const [first] = (await within('its worker', once(socket, 'message'))) as [Buffer]
      expect(first.toString()).toBe(worker)
      const data = randomBytes(200_000)
      socket.send(data)
      const [echo] = (await within('the echo', once(socket, 'message'))) as [Buffer]
      expect(echo.equals(data)).toBe(true)
      socket.terminate()
    }
  })

  it('keeps the clients of a worker that drains where they are until it is gone, and gives it no new ones', async ({ stage }) => {
    const station = await stage.start({ entry, config: { ...BY_COOKIE, drain: { timeout: '20s' } } }, 4)
    const owners = new Map<string, string>()
    for (const sid of SIDS) owners.set(sid, (await seen(station, sid)).worker)
    const leaving = owners.get(SIDS[0] as string) as string
    // A request that takes its time keeps it from leaving.
    const hold = http.request({
      host: '127.0.0.1',
      port: station.port,
      method: 'POST',
      path: '/',
      agent: false,
      headers: { cookie: `sid=${SIDS[0]}` },
    })
    const held = once(hold, 'response')
    hold.write('a')
    await station.until('it has the request', ({ workers: all }) => all.some(({ id, queue }) => String(id) === leaving && queue === 1))
    await station.control.drain(Number(leaving))
    await station.until('it drains', ({ workers: all }) => all.some(({ id, state }) => String(id) === leaving && state === 'draining'))
    // A successor that becomes ready takes its part of the newcomers.
    await station.until('its successor is ready', ({ fleet }) => fleet.ready === 4)
    for (const sid of SIDS) expect([sid, (await seen(station, sid)).worker]).toEqual([sid, owners.get(sid)])
    const newcomers = Array.from({ length: 40 }, (_, index) => `newcomer-${index}`)
    for (const sid of newcomers) {
      const { worker } = await seen(station, sid)
      expect(worker).not.toBe(leaving)
      expect((await seen(station, sid)).worker).toBe(worker)
    }
    hold.end()
    const [response] = (await within('the held request ends', held)) as [http.IncomingMessage]
    response.resume()
    await station.until('it is gone', ({ workers: all }) => all.every(({ id }) => String(id) !== leaving))
    for (const sid of SIDS) expect((await seen(station, sid)).worker).not.toBe(leaving)
  })

  it('goes on with whoever is left when the owner dies', async ({ stage }) => {
    const station = await stage.start({ entry, config: BY_COOKIE }, 4)
    const before = await seen(station, 'somebody')
    const { workers: all } = (await station.status()) as NonNullable<Awaited<ReturnType<Station['status']>>>
    process.kill(all.find(({ id }) => String(id) === before.worker)?.pid as number, 'SIGKILL')
    await station.until('it was replaced', ({ workers: now }) => now.every(({ id }) => String(id) !== before.worker) && now.length === 4)
    const after = await seen(station, 'somebody')
    expect(after.worker).not.toBe(before.worker)
    expect((await seen(station, 'somebody')).worker).toBe(after.worker)
  })

  it('ties clients by a header and by the address behind a chain of trusted proxies', async ({ stage }) => {
    const byHeader = await stage.start({ entry, config: { workers, routing: { sticky: { header: 'X-Tenant' } } } }, 4)
    const tenant = async (name: string): Promise<string> => (await seen(byHeader, 'x', { headers: { 'x-tenant': name } })).worker
    const owners = await Promise.all(SIDS.map(tenant))
    expect(await Promise.all(SIDS.map(tenant))).toEqual(owners)
    const routing = { sticky: { address: true, trustProxy: true }, trustedProxies: ['loopback', '10.0.0.0/8'] }
    const byAddress = await stage.start({ entry, config: { workers, routing } }, 4)
    // What stands before the client's address changes all the time; so does the last proxy's port.
    let requests = 0
    const from = async (address: string): Promise<string> =>
      (await seen(byAddress, 'x', { headers: { 'x-forwarded-for': `6.6.6.${requests++}, ${address}, 10.1.2.3:${4000 + requests}` } })).worker
    const addresses = SIDS.map((_, index) => `192.0.2.${index}`)
    const workersOf = await Promise.all(addresses.map(from))
    expect(new Set(workersOf).size).toBeGreaterThan(1)
    expect(await Promise.all(addresses.map(from))).toEqual(workersOf)
  })
})
