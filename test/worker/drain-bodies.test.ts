import { describe, expect } from 'vitest'
import { drained, it, NOTHING_CUT, RawClient, start } from './harness.ts'

/** More than all buffers between two processes take. */
const BIG = 50_000_000

const post = (path: string, bytes: number, more = ''): string => `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes}\r\n${more}\r\n`

describe('a drain during an upload', () => {
  it('takes the rest of it, and answers with Connection: close', async ({ primary }) => {
    const worker = await start(primary, 'uploads.mjs')
    const client = new RawClient(primary.port)
    client.say(post('/count', 6) + 'abc')
    await worker.until(() => worker.foreign.includes('/count'), 'the head of the upload')
    worker.send({ kind: 'drain', timeoutMs: 10_000, patient: false })
    const count = worker.all('report').length
    await worker.until(() => worker.all('report').length > count + 15, 'more than the grace for idle connections')
    client.say('def')
    await client.hears('6 bytes')
    await client.closed
    expect(client.heard).toContain('Connection: close')
    expect(await drained(worker)).toEqual(NOTHING_CUT)
  })

  it('says 100 Continue and takes what follows', async ({ primary }) => {
    const worker = await start(primary, 'uploads.mjs')
    const client = new RawClient(primary.port)
    client.say(post('/count', 3, 'Expect: 100-continue\r\n'))
    await client.hears('HTTP/1.1 100 Continue\r\n\r\n')
    worker.send({ kind: 'drain', timeoutMs: 10_000, patient: false })
    client.say('abc')
    await client.hears('3 bytes')
    await client.closed
    expect(await drained(worker)).toEqual(NOTHING_CUT)
  })

  it('does not reset a client whose answer overtakes its upload', async ({ primary }) => {
    const worker = await start(primary, 'uploads.mjs')
    const [holder, client] = [new RawClient(primary.port), new RawClient(primary.port)]
    holder.say(post('/count', 1))
    const part = 'x'.repeat(100_000)
    client.say(post('/refuse', 20 * part.length) + part)
    await worker.seen('report', ({ report }) => report.queue === 2)
    worker.send({ kind: 'drain', timeoutMs: 10_000, patient: false })
    worker.worker.send('go')
    await client.hears('too much')
    expect(client.heard).toContain('Connection: keep-alive')
    for (let i = 1; i < 20; i++) client.say(part)
    client.heard = ''
    client.say('GET /refuse HTTP/1.1\r\nHost: x\r\n\r\n')
    await client.hears('Connection: close')
    holder.say('x')
    await holder.hears('1 bytes')
    expect(await drained(worker)).toEqual(NOTHING_CUT)
  })

  it('cuts and counts an upload that never ends', async ({ primary }) => {
    const worker = await start(primary, 'uploads.mjs')
    const client = new RawClient(primary.port)
    client.say(post('/count', 6) + 'abc')
    await worker.seen('report', ({ report }) => report.queue === 1)
    worker.send({ kind: 'drain', timeoutMs: 1000, patient: false })
    await client.closed
    expect(await drained(worker)).toEqual({ cutConnections: 1, cutRequests: 1 })
  })
})

describe('a drain during a download', () => {
  const ask = 'GET /big HTTP/1.1\r\nHost: x\r\n\r\n'

  it('waits until a slow reader has all of it', async ({ primary }) => {
    const worker = await start(primary, 'uploads.mjs')
    const client = new RawClient(primary.port)
    client.say(ask)
    await client.hears('xxx')
    client.socket.pause()
    await worker.seen('report', ({ report }) => report.queue === 1)
    worker.send({ kind: 'drain', timeoutMs: 20_000, patient: false })
    const count = worker.all('report').length
    await worker.until(() => worker.all('report').length > count + 20, 'more than the grace for idle connections')
    client.socket.resume()
    await client.closed
    expect(client.heard.split('\r\n\r\n')[1]).toHaveLength(BIG)
    expect(await drained(worker)).toEqual(NOTHING_CUT)
    expect(worker.stderr).toBe('')
  })

  it('cuts and counts it where the reader does not read', async ({ primary }) => {
    const worker = await start(primary, 'uploads.mjs')
    const client = new RawClient(primary.port)
    client.say(ask)
    await client.hears('xxx')
    client.socket.pause()
    await worker.seen('report', ({ report }) => report.queue === 1)
    worker.send({ kind: 'drain', timeoutMs: 1500, patient: false })
    expect(await drained(worker)).toEqual({ cutConnections: 1, cutRequests: 1 })
    client.socket.destroy()
  })
})
