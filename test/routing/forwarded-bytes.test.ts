import { createHash, randomBytes } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect } from 'vitest'
import { it } from '../processes/harness.ts'
import { within } from '../processes/harness/until.ts'
import type { RawClient } from '../worker/harness.ts'
import { ask } from './harness/ask.ts'
import { Fleet, type Seen, seenIn } from './harness/fleet.ts'

const sha256 = (body: Buffer | string): string => createHash('sha256').update(body).digest('hex')
/** Long enough that the worker has most likely read what was sent before the rest follows; nothing depends on it. */
const SEGMENT_MS = 2

const modeOf = async (file: string): Promise<string> => ((await stat(file)).mode & 0o777).toString(8)

/** The worker where a connection is now: it answers what belongs to nobody else. */
async function holderOf(client: RawClient): Promise<string> {
  client.heard = ''
  client.say('GET /who HTTP/1.1\r\nHost: x\r\n\r\n')
  await within('who has the connection', client.hears('"encrypted"'))
  return seenIn(client.heard).worker
}

describe('a forwarded request', () => {
  it('takes a way that nobody but our own user may enter', async ({ stage }) => {
    const { station, sids } = await Fleet.open(stage)
    const folders = (await readdir(station.temporaryFolder)).filter((name) => name.startsWith('stationmaster-'))
    expect(folders).toHaveLength(1)
    const folder = path.join(station.temporaryFolder, String(folders[0]))
    expect(await modeOf(folder)).toBe('700')
    expect((await readdir(folder)).toSorted()).toEqual([...sids.keys()].map((worker) => `${worker}.sock`).toSorted())
    for (const worker of sids.keys()) expect([worker, await modeOf(path.join(folder, `${worker}.sock`))]).toEqual([worker, '600'])
  })

  it('arrives whole wherever its bytes are cut', async ({ stage }) => {
    const fleet = await Fleet.open(stage)
    const { client, cookie, owner, acceptor } = await fleet.foreign()
    const body = 'hello, owner'
    const text = `POST /cut?a=b HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\nX-Some: thing\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    for (let cut = 1; cut < text.length; cut++) {
      // A request for nobody else in between, so that the connection does not follow the others to their owner: each of them is forwarded.
      expect(await holderOf(client)).toBe(acceptor)
      client.heard = ''
      client.say(text.slice(0, cut))
      await pause(SEGMENT_MS)
      client.say(text.slice(cut))
      await within(`an answer, cut at ${cut}`, client.hears('"encrypted"'))
      expect(seenIn(client.heard)).toMatchObject({ worker: owner, url: '/cut?a=b', bytes: body.length, hash: sha256(body) })
    }
    expect(await holderOf(client)).toBe(acceptor)
    client.socket.destroy()
  })

  it('arrives whole byte by byte, with and without a length', async ({ stage }) => {
    const fleet = await Fleet.open(stage)
    const { client, cookie, owner } = await fleet.foreign()
    const body = randomBytes(40).toString('hex')
    const chunks = `${body
      .match(/.{1,7}/g)
      ?.map((part) => `${part.length.toString(16)};x=y\r\n${part}\r\n`)
      .join('')}0\r\nX-Trailer: t\r\n\r\n`
    for (const rest of [`Content-Length: ${body.length}\r\n\r\n${body}`, `Transfer-Encoding: chunked\r\n\r\n${chunks}`]) {
      client.heard = ''
      for (const byte of `PUT /dribbled HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\n${rest}`) {
        client.say(byte)
        await pause(1)
      }
      await within('an answer', client.hears('"encrypted"'))
      expect(seenIn(client.heard)).toMatchObject({ worker: owner, method: 'PUT', bytes: body.length, hash: sha256(body) })
    }
    client.socket.destroy()
  })

  it('is answered in order when a client sends many at once', async ({ stage }) => {
    const fleet = await Fleet.open(stage)
    const { client, cookie } = await fleet.foreign()
    const count = 200
    for (let i = 0; i < count; i++) client.say(`GET /piped-${i} HTTP/1.1\r\nHost: x\r\n${i % 3 === 0 ? '' : `Cookie: ${cookie}\r\n`}\r\n`)
    await within('the last answer', client.hears(`/piped-${count - 1}"`))
    const urls = [...client.heard.matchAll(/"url":"([^"]+)"/g)].map(([, url]) => url)
    expect(urls).toEqual(Array.from({ length: count }, (_, i) => `/piped-${i}`))
    client.socket.destroy()
  })

  it('is the same as one that its owner accepted itself', async ({ stage }) => {
    const fleet = await Fleet.open(stage)
    const [sid] = fleet.sids.values()
    const headers = [
      'Host',
      'x',
      'Cookie',
      `sid=${sid}`,
      'X-Twice',
      '1',
      'x-twice',
      '2',
      'X-Empty',
      '',
      'X-High',
      'caf\xe9',
      'Connection',
      'x-twice, cookie, close',
    ]
    const methods = ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'PURGE', 'M-SEARCH']
    for (const method of methods) {
      const shapes = new Set<string>()
      for (let i = 0; i < 12; i++) {
        const { headers: got, body } = await ask({ port: fleet.station.port, path: '/same?%20=%E9', method, headers: headers as never })
        const {
          rawHeaders = [],
          url,
          worker,
          bytes,
        } = method === 'HEAD' ? ({ worker: got['x-worker'] } as Partial<Seen>) : (JSON.parse(body.toString()) as Seen)
        shapes.add(JSON.stringify({ rawHeaders: withoutConnection(rawHeaders), url, worker, bytes }))
      }
      expect({ method, shapes: [...shapes] }).toEqual({ method, shapes: [...shapes].slice(0, 1) })
    }
  })

  it('may be as long as the app allows, and so may its answer', async ({ stage }) => {
    const fleet = await Fleet.open(stage, { env: { SERVER_OPTIONS: JSON.stringify({ maxHeaderSize: 100_000, requireHostHeader: false }) } })
    const { client, cookie, owner } = await fleet.foreign()
    client.say(`GET /long HTTP/1.1\r\nCookie: ${cookie}\r\nX-Long: ${'l'.repeat(90_000)}\r\n\r\n`)
    await within('an answer', client.hears('"encrypted"'))
    expect(seenIn(client.heard).worker).toBe(owner)
    client.heard = ''
    client.say(`GET /many HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\n${Array.from({ length: 990 }, (_, i) => `X-${i}: v\r\n`).join('')}\r\n`)
    await within('an answer', client.hears('"encrypted"'))
    expect(withoutConnection(seenIn(client.heard).rawHeaders)).toHaveLength(992 * 2)
    client.heard = ''
    client.say(`GET /long-head HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\n\r\n`)
    await within('an answer', client.hears('long'))
    client.heard = ''
    client.say(`GET /old HTTP/1.0\r\nCookie: ${cookie}\r\n\r\n`)
    await within('an answer to HTTP/1.0', client.hears('"encrypted"'))
    expect(seenIn(client.heard).worker).toBe(owner)
    client.socket.destroy()
  })

  it('shows the client’s address as it is, over IPv6 too, and carries nothing of ours', async ({ stage }) => {
    const fleet = await Fleet.open(stage, { env: { HOST: '::' } })
    const chain = '2001:db8::7, 192.0.2.9, 10.0.0.1'
    for (const host of ['::1', '127.0.0.1']) {
      for (const [owner, sid] of fleet.sids) {
        for (let i = 0; i < 8; i++) {
          const headers = { cookie: `sid=${sid}`, 'x-forwarded-for': chain, 'x-forwarded-proto': 'https' }
          const { body, headers: got } = await ask({ host, port: fleet.station.port, path: '/address', headers })
          const seen = JSON.parse(body.toString()) as Seen
          expect(seen).toMatchObject({ worker: owner, localPort: fleet.station.port, remoteFamily: 'IPv6', encrypted: false })
          expect(seen.remoteAddress).toBe(host === '::1' ? '::1' : '::ffff:127.0.0.1')
          expect(seen.remotePort).toBeGreaterThan(1023)
          expect(seen.rawHeaders).toContain(chain)
          expect([...seen.rawHeaders, ...Object.keys(got)].filter((text) => text.toLowerCase().includes('stationmaster'))).toEqual([])
        }
      }
    }
  })
})

const withoutConnection = (rawHeaders: readonly string[]): string[] =>
  rawHeaders.filter((_, index) => rawHeaders[index - (index % 2)]?.toLowerCase() !== 'connection')
