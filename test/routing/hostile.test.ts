import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import net from 'node:net'
import { describe, expect } from 'vitest'
import { it } from '../processes/harness.ts'
import { until, within } from '../processes/harness/until.ts'
import { RawClient } from '../worker/harness.ts'
import { ask } from './harness/ask.ts'
import { Fleet, type Foreign, seenIn } from './harness/fleet.ts'

const HIDDEN = 'GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n'
const long = HIDDEN.length
const chunked = `${long.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`
const crowd = Array.from({ length: 10_000 }, (_, i) => `${i}:\r\n`).join('')
const fillers = Array.from({ length: 1200 }, (_, i) => `X-${i}: f\r\n`).join('')

/** What follows `Host` and `Cookie` in a request that carries another one where two parsers may disagree about its length. */
const VECTORS: readonly (readonly [name: string, rest: string, isGood?: boolean])[] = [
  ['a length and chunks', `Content-Length: ${long + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['chunks and a length', `Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['two lengths', `Content-Length: 0\r\nContent-Length: ${long}\r\n\r\n${HIDDEN}`],
  ['the same length twice', `Content-Length: ${long}\r\nContent-Length: ${long}\r\n\r\n${HIDDEN}`],
  ['a list of lengths', `Content-Length: 0, ${long}\r\n\r\n${HIDDEN}`],
  ['a signed length', `Content-Length: +0\r\n\r\n${HIDDEN}`],
  ['a folded header', `Transfer-Encoding:\r\n chunked\r\nContent-Length: ${long}\r\n\r\n${HIDDEN}`],
  ['an unknown coding', `Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['a coding after the chunks', `Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['two codings in two headers', `Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${HIDDEN}`],
  ['a space before the colon', `Transfer-Encoding : chunked\r\nContent-Length: ${long}\r\n\r\n${HIDDEN}`],
  ['a bare line feed', `X-Some: a\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n${HIDDEN}`],
  ['a bare carriage return', `X-Some: a\rTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n${HIDDEN}`],
  ['a zero byte', `X-Some: a\0b\r\nContent-Length: 0\r\n\r\n${HIDDEN}`],
  ['a bad chunk size', `Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n${HIDDEN}`],
  ['a chunk that is longer than it says', `Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n${HIDDEN}`],
  ['a line feed in a chunk extension', `Transfer-Encoding: chunked\r\n\r\n0;a\n\r\n${HIDDEN}\r\n\r\n`],
  ['an upgrade with a body', `Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: ${long}\r\n\r\n${HIDDEN}`],
  ['a length named as a header of the connection', `Connection: content-length\r\nContent-Length: ${long}\r\n\r\n${HIDDEN}`, true],
  ['chunks named as a header of the connection', `Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`, true],
  ['a length behind 10,000 headers', `${crowd}Content-Length: ${long}\r\n\r\n${HIDDEN}`],
  ['a length behind more headers than Node takes', `${fillers}Content-Length: ${long}\r\n\r\n${HIDDEN}`],
]

const METHODS = ['GET', 'POST']

/** Whole heads, of which the first line is the strange one. */
const FIRST_LINES: readonly (readonly [name: string, line: string, isGood?: boolean])[] = [
  ['empty lines before the first', '\r\n\r\nGET /carrier HTTP/1.1', true],
  ['a first line of a version alone', ' HTTP/1.1'],
  ['a first line of spaces', '   '],
  ['bytes in the path that are no UTF-8', 'GET /\xff\xfe\xc0\xaf HTTP/1.1'],
  ['bytes in the method that are no UTF-8', 'G\xc9T / HTTP/1.1'],
]

/** What is no HTTP/1 at all, before a request that is. */
const NO_HTTP: readonly (readonly [name: string, bytes: string])[] = [
  ['the hello of TLS', `\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03${'r'.repeat(32)}\x00\x00\x04\x13\x01\x00\xff\x01\x00`],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0'],
  ['a PROXY header of version 1', 'PROXY TCP4 192.0.2.1 192.0.2.2 4711 80\r\n'],
  ['a PROXY header of version 2', '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\x12\x67\0\x50'],
  ['bytes by chance', `\x9a${randomBytes(4000).toString('latin1')}`],
]

/** Nobody ran what was hidden; each worker has run something that came later. */
async function expectNothingHidden(fleet: Fleet): Promise<void> {
  for (const sid of fleet.sids.values()) await ask({ port: fleet.station.port, path: '/after', headers: { cookie: `sid=${sid}` } })
  const runs = await fleet.runs()
  expect(runs.filter((line) => line.includes('/after'))).toHaveLength(fleet.sids.size)
  expect(runs.filter((line) => line.includes('/hidden'))).toEqual([])
}

describe('a request that hides another', () => {
  it('is refused or is one request, to its owner as to whoever accepted it', async ({ stage }) => {
    const fleet = await Fleet.open(stage, { env: { SERVER_OPTIONS: JSON.stringify({ maxHeaderSize: 100_000 }) } })
    const carriers = VECTORS.flatMap((vector) => [true, false].flatMap((isForwarded) => METHODS.map((method) => ({ vector, isForwarded, method }))))
    for (const { vector, isForwarded, method } of carriers) {
      const [name, rest, isGood = false] = vector
      const { client, cookie, owner, acceptor } = await fleet.foreign()
      const cookieSent = isForwarded ? cookie : `sid=${fleet.sids.get(acceptor)}`
      client.say(`${method} /carrier HTTP/1.1\r\nHost: x\r\nCookie: ${cookieSent}\r\n${rest}`)
      await within(`an answer to ${name}`, Promise.race([client.closed, client.hears(isGood ? '"encrypted"' : '\r\n\r\n')]))
      expect([name, method, /HTTP\/1.1 (\d)/.exec(client.heard)?.[1]]).toEqual([name, method, isGood ? '2' : '4'])
      if (isGood) expect([name, seenIn(client.heard)]).toMatchObject([name, { worker: isForwarded ? owner : acceptor, bytes: long }])
      client.socket.destroy()
    }
    await expectNothingHidden(fleet)
  })

  it('behind a strange first line is refused or is one request', async ({ stage }) => {
    const fleet = await Fleet.open(stage)
    for (const [name, line, isGood = false] of FIRST_LINES) {
      const { client, cookie, owner } = await fleet.foreign()
      client.say(`${line}\r\nHost: x\r\nCookie: ${cookie}\r\nContent-Length: ${long}\r\n\r\n${HIDDEN}`)
      await within(`an answer to ${name}`, isGood ? client.hears('"encrypted"') : client.closed)
      expect([name, /HTTP\/1.1 (\d+)/.exec(client.heard)?.[1]]).toEqual([name, isGood ? '200' : '400'])
      if (isGood) expect([name, seenIn(client.heard)]).toMatchObject([name, { worker: owner, bytes: long }])
      client.socket.destroy()
    }
    await expectNothingHidden(fleet)
  })

  it('behind bytes that are no HTTP/1 is never run: the connection is closed', async ({ stage }) => {
    const fleet = await Fleet.open(stage)
    for (const [name, bytes] of NO_HTTP) {
      const client = new RawClient(fleet.station.port)
      client.say(bytes + HIDDEN)
      await within(`the end after ${name}`, client.closed)
      expect([name, client.heard === '' || client.heard.startsWith('HTTP/1.1 400 ')]).toEqual([name, true])
    }
    await expectNothingHidden(fleet)
  })
})

/** What Node takes of names and values if an app does not say otherwise. */
const LARGEST_HEAD_BYTES = 16 * 1024

describe('a head that is too large', () => {
  it('is refused by whoever accepted it, to its owner as to another worker, and nobody runs it', async ({ stage }) => {
    const fleet = await Fleet.open(stage)
    for (const isForwarded of [true, false]) {
      const say = async (length: number): Promise<Foreign> => {
        const foreign = await fleet.foreign()
        const cookie = isForwarded ? foreign.cookie : `sid=${fleet.sids.get(foreign.acceptor)}`
        foreign.client.say(`GET /large HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\nX-Large: ${'l'.repeat(length)}\r\n\r\n`)
        return foreign
      }
      const { client, owner, acceptor } = await say(LARGEST_HEAD_BYTES - 100)
      await within('an answer', client.hears('"encrypted"'))
      expect(seenIn(client.heard).worker).toBe(isForwarded ? owner : acceptor)
      client.socket.destroy()
      const tooLarge = (await say(LARGEST_HEAD_BYTES + 1)).client
      await within('the end', tooLarge.closed)
      expect(tooLarge.heard).toMatch(/^HTTP\/1.1 431 [^]*\r\nConnection: close\r\n/)
    }
    expect((await fleet.runs()).filter((line) => line.includes('/large'))).toHaveLength(2)
  })
})

describe('a client that takes its time', () => {
  it('is closed by the app’s own time-outs, whether it is slow with its head, its body or its ears', async ({ stage }) => {
    const options = { headersTimeout: 400, requestTimeout: 800, connectionsCheckingInterval: 50 }
    const fleet = await Fleet.open(stage, { env: { SERVER_OPTIONS: JSON.stringify(options), IDLE_MS: '1500' } })
    const { port } = fleet.station
    const silent = net
      .connect(port, '127.0.0.1')
      .resume()
      .on('error', () => {})
    const [head, body, ears] = [await fleet.foreign(), await fleet.foreign(), await fleet.foreign()]
    const say = `/slow HTTP/1.1\r\nHost: x\r\nCookie: `
    const saidAtMs = performance.now()
    const tookMs = async ({ client }: Foreign): Promise<number> => {
      await client.closed
      return performance.now() - saidAtMs
    }
    head.client.say(`GET ${say}${head.cookie}\r\nX-Slow: `)
    body.client.say(`POST ${say}${body.cookie}\r\nContent-Length: 1000\r\n\r\n`)
    ears.client.socket.pause()
    ears.client.say(`GET /download HTTP/1.1\r\nHost: x\r\nX-Bytes: 50000000\r\nCookie: ${ears.cookie}\r\n\r\n`)
    const times = Promise.all([tookMs(head), tookMs(body)])
    const dribble = setInterval(() => [head, body].forEach(({ client }) => client.socket.writable && client.say('a')), 20)
    try {
      await within(
        'the ends of all',
        Promise.all([once(silent, 'close'), head.client.closed, body.client.closed, fleet.ran(`${ears.owner} closed /download`)]),
      )
    } finally {
      clearInterval(dribble)
    }
    expect([head.client.heard, body.client.heard].map((heard) => heard.slice(0, 12))).toEqual(['HTTP/1.1 408', 'HTTP/1.1 408'])
    const [headMs, bodyMs] = await times
    expect(headMs).toBeGreaterThanOrEqual(options.headersTimeout)
    expect(bodyMs).toBeGreaterThanOrEqual(options.requestTimeout)
    await fleet.ran(`${body.owner} aborted /slow`)
    ears.client.socket.destroy()
    expect((await ask({ port, path: '/after' })).status).toBe(200)
  })

  it('may take longer with its body than with its head, if the app sets no limit to it', async ({ stage }) => {
    const options = { headersTimeout: 300, requestTimeout: 0, connectionsCheckingInterval: 50 }
    const fleet = await Fleet.open(stage, { env: { SERVER_OPTIONS: JSON.stringify(options) } })
    const { client, cookie, owner, acceptor } = await fleet.foreign()
    client.say(`POST /long HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\nContent-Length: 4\r\n\r\na`)
    await fleet.ran(`${owner} POST /long`)
    for (const byte of ['b', 'c']) {
      await outlastsAHead(fleet, acceptor)
      client.say(byte)
    }
    client.say('d')
    await within('an answer', client.hears('"encrypted"'))
    expect(seenIn(client.heard)).toMatchObject({ worker: owner, bytes: 4, hash: createHash('sha256').update('abcd').digest('hex') })
    client.socket.destroy()
  })
})

/** Until this worker has closed a connection whose head was begun now and did not end. */
async function outlastsAHead(fleet: Fleet, worker: string): Promise<void> {
  const others: Foreign[] = []
  while (others.at(-1)?.acceptor !== worker) others.push(await fleet.foreign())
  const { client } = others.at(-1) as Foreign
  client.say('GET /slow HTTP/1.1\r\n')
  await within('the end of a slow head', client.closed)
  expect(client.heard).toMatch(/^HTTP\/1.1 408 /)
  for (const other of others) other.client.socket.destroy()
}

describe('an end in the middle', () => {
  it('reaches the owner when the client leaves, and nobody else gets the request', async ({ stage }) => {
    const fleet = await Fleet.open(stage)
    for (const method of ['GET', 'POST']) {
      const { client, cookie, owner } = await fleet.foreign()
      client.say(`${method} /hold HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\nContent-Length: ${method === 'GET' ? 0 : 1000}\r\n\r\n`)
      await fleet.ran(`${owner} ${method} /hold`)
      client.socket.destroy()
      await until('its end', async () => (await fleet.runs()).filter((line) => line.endsWith('closed /hold')).length === (method === 'GET' ? 1 : 2))
    }
    const { client, cookie, owner } = await fleet.foreign()
    client.say(`POST /upload HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\nContent-Length: 1000\r\n\r\npart`)
    await fleet.ran(`${owner} POST /upload`)
    client.socket.destroy()
    await fleet.ran(`${owner} aborted /upload`)
    for (const sid of fleet.sids.values()) await ask({ port: fleet.station.port, path: '/after', headers: { cookie: `sid=${sid}` } })
    expect((await fleet.runs()).filter((line) => / (GET|POST) \/(hold|upload)/.test(line))).toHaveLength(3)
  })

  it('reaches the client when the owner ends, or refuses the rest', async ({ stage }) => {
    const fleet = await Fleet.open(stage, { workers: 3 })
    const half = await fleet.foreign()
    half.client.say(`GET /half HTTP/1.1\r\nHost: x\r\nCookie: ${half.cookie}\r\n\r\n`)
    await within('the end', half.client.closed)
    expect(half.client.heard).toMatch(/content-length: 1000[^]*half$/i)
    const refused = await fleet.foreign()
    refused.client.say(`POST /refuse HTTP/1.1\r\nHost: x\r\nCookie: ${refused.cookie}\r\nContent-Length: 1000000\r\n\r\npart`)
    await within('the refusal', refused.client.hears('too much'))
    expect(refused.client.heard).toMatch(/^HTTP\/1.1 413/)
    refused.client.socket.destroy()
    const dead = await fleet.foreign()
    const pid = await fleet.pidOf(dead.acceptor)
    dead.client.say(`GET /die HTTP/1.1\r\nHost: x\r\nCookie: ${dead.cookie}\r\n\r\n`)
    await within('an answer', dead.client.hears('has ended'))
    expect(dead.client.heard).toMatch(/^HTTP\/1.1 502/)
    dead.client.heard = ''
    dead.client.say('GET /still HTTP/1.1\r\nHost: x\r\n\r\n')
    await within('an answer on the same connection', dead.client.hears('"encrypted"'))
    expect([seenIn(dead.client.heard).worker, await fleet.pidOf(dead.acceptor)]).toEqual([dead.acceptor, pid])
    dead.client.socket.destroy()
  })
})
