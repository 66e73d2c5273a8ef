import { once } from 'node:events'
import http2 from 'node:http2'
import { describe, expect } from 'vitest'
import { it } from '../processes/harness.ts'
import { within } from '../processes/harness/until.ts'
import { RawClient } from '../worker/harness.ts'
import { Fleet, seenIn } from './harness/fleet.ts'
import { startServers } from './harness/servers.ts'

const SENT = '5\r\nhello\r\n0\r\nX-Sent: a\r\nx-sent: b\r\nX-Late: \xe9\r\n\r\n'
/** The end of a body in chunks, and of the trailers after it. */
const END = 'X-Sum: 2\r\n\r\n'

/** What a client hears of a request that ends with trailers and is answered with hints before and trailers after the answer. */
async function hear(client: RawClient, cookie: string, version: string): Promise<string> {
  client.heard = ''
  const body = version === '1.1' ? `TE: trailers\r\nTrailer: X-Sent\r\nTransfer-Encoding: chunked\r\n\r\n${SENT}` : 'Content-Length: 0\r\n\r\n'
  client.say(`POST /around HTTP/${version}\r\nHost: x\r\nCookie: ${cookie}\r\n${body}`)
  await within('an answer', version === '1.1' ? client.hears(END) : client.closed, { instead: () => client.heard })
  return client.heard.replace(/^Date: .*\r\n/m, '')
}

describe('what comes around an answer', () => {
  it('is byte for byte the same, forwarded or not: 102, 103, and trailers in both directions', async ({ stage }) => {
    const fleet = await Fleet.open(stage)
    const { client, cookie, acceptor } = await fleet.foreign()
    const forwarded = await hear(client, cookie, '1.1')
    expect(forwarded).toBe(await hear(client, `sid=${fleet.sids.get(acceptor)}`, '1.1'))
    expect(forwarded).toMatch(
      /^HTTP\/1.1 102 Processing\r\n\r\nHTTP\/1.1 103 Early Hints\r\nLink: <\/a.css>; rel=preload, <\/b.js>; rel=preload\r\nX-Early: e\r\n\r\n/,
    )
    expect(forwarded).toContain('["X-Sent","a","x-sent","b","X-Late",')
    expect(forwarded).toContain('0\r\nX-Sum: 1\r\nX-High: caf\xe9\r\nX-Sum: 2\r\n\r\n')
    client.socket.destroy()
  })

  it('may be a consent that nobody asked for: the body goes to its owner once', async ({ stage }) => {
    const fleet = await Fleet.open(stage)
    const { client, cookie, owner } = await fleet.foreign()
    client.say(`POST /consents HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\nTransfer-Encoding: chunked\r\n\r\n${SENT}`)
    await within('an answer', client.hears('"encrypted"'))
    expect(seenIn(client.heard)).toMatchObject({ worker: owner, bytes: 5 })
    client.socket.destroy()
  })

  it('may be the consent for which a client waits before it sends a body: once, and then the owner answers', async ({ stage }) => {
    const fleet = await Fleet.open(stage)
    const { client, cookie, owner, acceptor } = await fleet.foreign()
    for (const [worker, sent] of [
      [owner, cookie],
      [acceptor, `sid=${fleet.sids.get(acceptor)}`],
    ] as const) {
      client.heard = ''
      client.say(`POST /asked HTTP/1.1\r\nHost: x\r\nCookie: ${sent}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`)
      await within('the consent', client.hears('\r\n\r\n'))
      expect(client.heard).toBe('HTTP/1.1 100 Continue\r\n\r\n')
      await fleet.ran(`${worker} POST /asked`)
      client.say('hello')
      await within('an answer', client.hears('"encrypted"'))
      expect(client.heard.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 100', 'HTTP/1.1 200'])
      expect(seenIn(client.heard)).toMatchObject({ worker, bytes: 5 })
    }
    client.socket.destroy()
  })

  it('is left out for a client of HTTP/1.0, which does not know it', async ({ stage }) => {
    const fleet = await Fleet.open(stage)
    const { client, cookie } = await fleet.foreign()
    const heard = await hear(client, cookie, '1.0')
    expect(heard).toMatch(/^HTTP\/1.1 200 OK\r\n/)
    expect(heard.slice(heard.indexOf('\r\n\r\n'))).toBe('\r\n\r\n[[],null,null]')
    expect(heard).not.toMatch(/x-sum/i)
  })

  it('reaches clients of HTTP/2 too', async ({ stage }) => {
    const { port } = await startServers(stage, 'h2c')
    const session = http2.connect(`http://127.0.0.1:${port}`)
    const workers = new Set<string>()
    for (let i = 0; i < 12; i++) {
      const stream = session.request({ ':method': 'POST', ':path': '/around', cookie: `sid=client-${i}`, te: 'trailers' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sent': 'sent' }))
      const [hints, trailers] = [once(stream, 'headers'), once(stream, 'trailers')]
      stream.resume().end('body')
      const [[early], [late]] = await within('hints and trailers', Promise.all([hints, trailers]))
      expect([early[':status'], early.link]).toEqual([103, '</a.css>; rel=preload'])
      const [worker, ...rest] = String(late['x-sum']).split(' ')
      expect(rest).toEqual(['sent', 'trailers'])
      workers.add(worker as string)
    }
    // Of three workers one has accepted the connection; the others were reached through it.
    expect(workers.size).toBeGreaterThan(1)
    session.close()
    await within('the end of the session', once(session, 'close'))
  })
})
