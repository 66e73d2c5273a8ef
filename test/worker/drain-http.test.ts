import http from 'node:http'
import { once } from 'node:events'
import { describe, expect } from 'vitest'
import { drained, get, it, NOTHING_CUT, RawClient, REQUEST, start } from './harness.ts'

/** Asks again and again on one kept-alive connection, and counts. */
function chatter(port: number, until: AbortSignal): { readonly done: Promise<void>; readonly counts: { ok: number; failed: unknown[] } } {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const counts = { ok: 0, failed: [] as unknown[] }
  const talk = async (): Promise<void> => {
    while (!until.aborted) {
      try {
        await get(port, '/', { agent })
        counts.ok++
      } catch (error) {
        counts.failed.push(error)
      }
    }
    agent.destroy()
  }
  return { done: talk(), counts }
}

/** Goes on asking: the drain is told on another way, and may begin after any request. */
async function talkUntil(text: string, client: RawClient): Promise<void> {
  while (!client.heard.includes(text)) {
    client.heard = ''
    client.say(REQUEST)
    await client.hears('\r\n\r\n')
  }
}

describe('a drain', () => {
  it('loses none of the requests of 64 busy keep-alive clients', async ({ primary }) => {
    const leaving = await start(primary, 'many-ways.mjs')
    const staying = await start(primary, 'many-ways.mjs')
    const over = new AbortController()
    const clients = Array.from({ length: 64 }, () => chatter(primary.port, over.signal))
    await leaving.seen('report', ({ report }) => report.requests > 100)
    leaving.send({ kind: 'drain', timeoutMs: 10_000, patient: false })
    expect(await drained(leaving)).toEqual(NOTHING_CUT)
    const before = staying.all('report').length
    await staying.until(() => staying.all('report').length > before + 2, 'more reports')
    over.abort()
    await Promise.all(clients.map(({ done }) => done))
    expect(clients.flatMap(({ counts }) => counts.failed)).toEqual([])
    expect(clients.every(({ counts }) => counts.ok > 0)).toBe(true)
  })

  it('answers what is in flight and says Connection: close', async ({ primary }) => {
    const worker = await start(primary, 'many-ways.mjs')
    const answer = get(primary.port, '/slow', { agent: new http.Agent({ keepAlive: true }) })
    await worker.until(() => worker.foreign.includes('slow'), 'slow')
    worker.send({ kind: 'drain', timeoutMs: 5000, patient: false })
    await worker.seen('report', ({ report }) => report.queue === 1)
    worker.worker.send('go')
    expect(await answer).toMatchObject({ status: 200, body: 'slow answer', headers: { connection: 'close' } })
    expect(await drained(worker)).toEqual(NOTHING_CUT)
  })

  it('finishes a response whose head is sent, and then lets the connection go', async ({ primary }) => {
    const worker = await start(primary, 'many-ways.mjs')
    const client = new RawClient(primary.port)
    client.say('GET /head-sent HTTP/1.1\r\nHost: x\r\n\r\n')
    await client.hears('ab')
    worker.send({ kind: 'drain', timeoutMs: 5000, patient: false })
    worker.worker.send('go')
    await client.hears('abcd')
    await client.closed
    expect(client.heard).toContain('keep-alive')
    expect(await drained(worker)).toEqual(NOTHING_CUT)
  })

  it('answers a head that dribbles in', async ({ primary }) => {
    const worker = await start(primary, 'many-ways.mjs')
    const [fresh, used] = [new RawClient(primary.port), new RawClient(primary.port)]
    used.say(REQUEST)
    await used.hears(String(worker.pid))
    for (const client of [fresh, used]) client.say('GET / HT')
    await worker.seen('report', ({ report }) => report.connections === 2)
    worker.send({ kind: 'drain', timeoutMs: 10_000, patient: false })
    const count = worker.all('report').length
    await worker.until(() => worker.all('report').length > count + 15, 'more than the grace') // 15 ticks of 50 ms > 500 ms
    for (const client of [fresh, used]) client.say('TP/1.1\r\nHost: x\r\n\r\n')
    for (const client of [fresh, used]) await client.hears('Connection: close')
    expect(await drained(worker)).toEqual(NOTHING_CUT)
  })

  it('answers a request that begins to arrive on an idle connection, byte by byte', async ({ primary }) => {
    const worker = await start(primary, 'many-ways.mjs')
    const client = new RawClient(primary.port)
    client.say(REQUEST)
    await client.hears(String(worker.pid))
    client.heard = ''
    worker.send({ kind: 'drain', timeoutMs: 30_000, patient: false })
    for (const byte of REQUEST) {
      client.say(byte)
      if (byte === REQUEST.at(-1)) continue // a line's end, or the request's: no time to lose
      const count = worker.all('report').length
      await worker.until(() => worker.all('report').length > count, 'the next report')
    }
    await client.hears('Connection: close')
    expect(await drained(worker)).toEqual(NOTHING_CUT)
  })

  it('gives idle connections and connections that never spoke a chance, and closes them', async ({ primary }) => {
    const worker = await start(primary, 'many-ways.mjs')
    const [silent, idle, late] = [new RawClient(primary.port), new RawClient(primary.port), new RawClient(primary.port)]
    for (const client of [idle, late]) {
      client.say(REQUEST)
      await client.hears(String(worker.pid))
    }
    await worker.seen('report', ({ report }) => report.connections === 3)
    worker.send({ kind: 'drain', timeoutMs: 10_000, patient: false })
    await talkUntil('Connection: close', late)
    await Promise.all([silent.closed, idle.closed, late.closed])
    expect(idle.heard).not.toContain('Connection: close')
    expect(silent.heard).toBe('')
    expect(await drained(worker)).toEqual(NOTHING_CUT)
  })

  it('leaves quiet connections to their clients while others serve on, until the whole fleet stops', async ({ primary }) => {
    const worker = await start(primary, 'many-ways.mjs')
    const [pausing, quiet] = [new RawClient(primary.port), new RawClient(primary.port)]
    for (const client of [pausing, quiet]) {
      client.say(REQUEST)
      await client.hears(String(worker.pid))
    }
    worker.send({ kind: 'drain', timeoutMs: 20_000, patient: true })
    const count = worker.all('report').length
    await worker.until(() => worker.all('report').length > count + 15, 'more than the grace of a stop') // 15 ticks of 50 ms > 500 ms
    pausing.heard = ''
    await talkUntil('Connection: close', pausing)
    await pausing.closed
    worker.send({ kind: 'drain', timeoutMs: 20_000, patient: false })
    await quiet.closed
    expect(quiet.heard).not.toContain('Connection: close')
    expect(await drained(worker)).toEqual(NOTHING_CUT)
  })

  it('closes a quiet connection when its server would have closed it, though nothing hurries', async ({ primary }) => {
    const worker = await start(primary, 'many-ways.mjs')
    const [quiet, silent] = [new RawClient(primary.port), new RawClient(primary.port)]
    quiet.say(REQUEST)
    await quiet.hears(String(worker.pid))
    await worker.seen('report', ({ report }) => report.connections === 2)
    worker.send({ kind: 'drain', timeoutMs: 60_000, patient: true })
    await Promise.all([quiet.closed, silent.closed])
    expect(await drained(worker)).toEqual(NOTHING_CUT)
  })

  it('answers pipelined requests in full before it closes', async ({ primary }) => {
    const worker = await start(primary, 'many-ways.mjs')
    const client = new RawClient(primary.port)
    client.say('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2))
    await worker.seen('report', ({ report }) => report.queue === 2)
    worker.send({ kind: 'drain', timeoutMs: 5000, patient: false })
    worker.worker.send('go')
    await client.closed
    expect(client.heard.match(/HTTP\/1.1 200/g)).toHaveLength(2)
    expect(client.heard.match(/Connection: close/g)).toHaveLength(1)
    expect(client.heard.indexOf('Connection: close')).toBeGreaterThan(client.heard.indexOf('slow answer'))
    expect(await drained(worker)).toEqual(NOTHING_CUT)
  })

  it('ends event streams properly, and waits for connections whose app insists on keep-alive', async ({ primary }) => {
    const worker = await start(primary, 'many-ways.mjs')
    const client = new RawClient(primary.port)
    const stubborn = new RawClient(primary.port)
    client.say('GET /events HTTP/1.1\r\nHost: x\r\n\r\n')
    stubborn.say('GET /keeps-alive HTTP/1.1\r\nHost: x\r\n\r\n')
    await client.hears('data: 2')
    await stubborn.hears('ok')
    worker.send({ kind: 'drain', timeoutMs: 20_000, patient: false })
    await Promise.all([client.closed, stubborn.closed])
    expect(client.heard.endsWith('\r\n0\r\n\r\n')).toBe(true)
    expect(await drained(worker)).toEqual(NOTHING_CUT)
  })

  it('cuts at the deadline what cannot be answered, and says how much that was', async ({ primary }) => {
    const worker = await start(primary, 'many-ways.mjs')
    const answer = get(primary.port, '/slow')
    const poll = get(primary.port, '/socket.io/?EIO=4&transport=polling&sid=x')
    await worker.seen('report', ({ report }) => report.connections === 2 && report.queue === 1)
    worker.send({ kind: 'drain', timeoutMs: 1000, patient: false })
    await expect(answer).rejects.toThrow('socket hang up')
    await expect(poll).rejects.toThrow('socket hang up')
    expect(await drained(worker)).toEqual({ cutConnections: 2, cutRequests: 2 })
  })

  it('is hurried by a second one', async ({ primary }) => {
    const worker = await start(primary, 'many-ways.mjs')
    const answer = get(primary.port, '/slow')
    await worker.until(() => worker.foreign.includes('slow'), 'slow')
    worker.send({ kind: 'drain', timeoutMs: 600_000, patient: false })
    worker.send({ kind: 'drain', timeoutMs: 100, patient: false })
    await expect(answer).rejects.toThrow('socket hang up')
    expect(await drained(worker)).toEqual({ cutConnections: 1, cutRequests: 1 })
  })

  it('does not refuse anybody: connections wait for the next worker', async ({ primary }) => {
    const worker = await start(primary, 'many-ways.mjs')
    worker.send({ kind: 'drain', timeoutMs: 1000, patient: false })
    await drained(worker)
    const answer = get(primary.port)
    const next = await start(primary, 'many-ways.mjs')
    expect((await answer).body).toBe(String(next.pid))
  })

  it('can begin before the app listens', async ({ primary }) => {
    const worker = primary.fork('many-ways.mjs')
    await once(worker.worker, 'online')
    worker.send({ kind: 'drain', timeoutMs: 1000, patient: false })
    expect(await drained(worker)).toEqual(NOTHING_CUT)
  })
})
