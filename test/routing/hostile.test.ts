import { once } from 'node:events'
import net from 'node:net'
import { describe, expect } from 'vitest'
import { it } from '../processes/harness.ts'
import { until, within } from '../processes/harness/until.ts'
import { ask } from './harness/ask.ts'
import { Fleet, seenIn } from './harness/fleet.ts'

const HIDDEN = 'GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n'
const long = HIDDEN.length
const chunked = `${long.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`
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
  ['a length behind more headers than Node takes', `${fillers}Content-Length: ${long}\r\n\r\n${HIDDEN}`],
]

describe('a request that hides another', () => {
  it('is refused or is one request, to its owner as to whoever accepted it', async ({ stage }) => {
    const fleet = await Fleet.open(stage, { env: { SERVER_OPTIONS: JSON.stringify({ maxHeaderSize: 100_000 }) } })
    for (const [name, rest, isGood = false] of VECTORS) {
      const { client, cookie, owner } = await fleet.foreign()
      client.say(`GET /carrier HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\n${rest}`)
      await within(`an answer to ${name}`, Promise.race([client.closed, client.hears(isGood ? '"encrypted"' : '\r\n\r\n')]))
      expect([name, /HTTP\/1.1 (\d)/.exec(client.heard)?.[1]]).toEqual([name, isGood ? '2' : '4'])
      if (isGood) expect([name, seenIn(client.heard)]).toMatchObject([name, { worker: owner, bytes: long }])
      client.socket.destroy()
    }
    for (const sid of fleet.sids.values()) await ask({ port: fleet.station.port, path: '/after', headers: { cookie: `sid=${sid}` } })
    const runs = await fleet.runs()
    expect(runs.filter((line) => line.includes('/after'))).toHaveLength(fleet.sids.size)
    expect(runs.filter((line) => line.includes('/hidden'))).toEqual([])
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
    head.client.say(`GET ${say}${head.cookie}\r\nX-Slow: `)
    body.client.say(`POST ${say}${body.cookie}\r\nContent-Length: 1000\r\n\r\n`)
    ears.client.socket.pause()
    ears.client.say(`GET /download HTTP/1.1\r\nHost: x\r\nX-Bytes: 50000000\r\nCookie: ${ears.cookie}\r\n\r\n`)
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
    await fleet.ran(`${body.owner} aborted /slow`)
    ears.client.socket.destroy()
    expect((await ask({ port, path: '/after' })).status).toBe(200)
  })
})

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
