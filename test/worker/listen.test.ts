import net from 'node:net'
import { mkdtemp, rm } from 'node:fs/promises'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { get, it } from './harness.ts'
import type { MiniPrimary, MiniWorker } from './mini-primary.ts'

interface Said {
  readonly index: number
  readonly address: unknown
  readonly code?: string
}

function listens(primary: MiniPrimary, calls: unknown[][], env: Record<string, string> = {}): MiniWorker {
  return primary.fork('many-listens.mjs', { LISTEN: JSON.stringify(calls), ...env })
}

async function said(worker: MiniWorker, index: number): Promise<Said> {
  return await worker.until(() => (worker.foreign as Said[]).find((message) => message.index === index), `listen ${index}`)
}

describe('listen()', () => {
  it('serves from the socket of the primary, without a change in the app', async ({ primary }) => {
    const worker = primary.fork('plain-http.mjs')
    await worker.seen('listening')
    expect(worker.messages[0]).toEqual({ kind: 'hello' })
    expect(worker.all('listen')).toEqual([
      { kind: 'listen', requestId: 1, port: 0, host: '127.0.0.1', path: null, fd: null, ipv6Only: false, turn: 0, isDealt: false },
    ])
    expect((await get(primary.port)).body).toBe(String(worker.pid))
  })

  it('gives two workers one socket', async ({ primary }) => {
    const workers = [primary.fork('plain-http.mjs'), primary.fork('plain-http.mjs')]
    await Promise.all(workers.map((worker) => worker.seen('listening')))
    expect(primary.ports).toHaveLength(1)
    await workers[0]?.kill()
    expect((await get(primary.port)).body).toBe(String(workers[1]?.pid))
  })

  it('gives every listen(0) of a worker a port of its own, and tells its address', async ({ primary }) => {
    const worker = listens(primary, [[0, '127.0.0.1'], [0, '127.0.0.1'], [{ port: 0, host: '127.0.0.1' }], [0]])
    const addresses = await Promise.all([0, 1, 2, 3].map((index) => said(worker, index)))
    const ports = addresses.map(({ address }) => (address as net.AddressInfo).port)
    expect(new Set(ports).size).toBe(4)
    expect(new Set(ports)).toEqual(new Set(primary.ports))
    expect(worker.all('listening')).toHaveLength(1)
    for (const [index, port] of ports.entries()) expect((await get(port)).body).toBe(`${index} ${worker.pid}`)
  })

  it('listens on every address, IPv4 and IPv6', async ({ primary }) => {
    const worker = listens(primary, [[0], [0, '::'], [{ port: 0, host: '::', ipv6Only: true }]])
    const all = await Promise.all([0, 1, 2].map((index) => said(worker, index)))
    const [any = 0, six = 0, onlySix = 0] = all.map(({ address }) => (address as net.AddressInfo).port)
    expect((await get(any)).status).toBe(200)
    expect((await get(six, '/', { host: '::1' })).status).toBe(200)
    expect((await get(onlySix, '/', { host: '::1' })).status).toBe(200)
    await expect(get(onlySix)).rejects.toThrow('ECONNREFUSED')
  })

  it('listens on a Unix socket and tells its path', async ({ primary }) => {
    const folder = await mkdtemp(join(tmpdir(), 'stationmaster-'))
    const socketPath = join(folder, 'app.sock')
    const worker = listens(primary, [[socketPath], [{ path: `${socketPath}2` }]])
    expect((await said(worker, 0)).address).toBe(socketPath)
    expect((await said(worker, 1)).address).toBe(`${socketPath}2`)
    expect((await get(0, '/', { socketPath })).body).toBe(`0 ${worker.pid}`)
    await rm(folder, { recursive: true })
  })

  it('emits the error of a port that is taken as Node does', async ({ primary }) => {
    const holder = net.createServer().listen(0, '127.0.0.1')
    await once(holder, 'listening')
    const { port } = holder.address() as net.AddressInfo
    const rival = net.createServer().listen(port, '127.0.0.1')
    const [expected] = (await once(rival, 'error')) as [NodeJS.ErrnoException & { address: string; port: number }]
    const worker = listens(primary, [[port, '127.0.0.1']])
    const { message, code, errno, syscall, address } = expected
    expect(await said(worker, 0)).toEqual({ index: 0, message, code, errno, syscall, address, port })
    expect(worker.all('listening')).toEqual([])
    holder.close()
  })

  it('ignores reusePort and leaves exclusive and ready-made handles to Node', async ({ primary }) => {
    const worker = listens(primary, [[{ port: 0, host: '127.0.0.1', reusePort: true }], [{ port: 0, host: '127.0.0.1', exclusive: true }]])
    await Promise.all([0, 1].map((index) => said(worker, index)))
    expect(worker.all('listen')).toHaveLength(1)
  })

  it('leaves listening to node:cluster where it is told to', async ({ primary }) => {
    const worker = listens(primary, [[0, '127.0.0.1']], { STATIONMASTER_LISTEN: 'cluster' })
    await worker.seen('listening')
    const { port } = (await said(worker, 0)).address as net.AddressInfo
    expect(worker.all('listen')).toEqual([])
    expect((await get(port)).body).toBe(`0 ${worker.pid}`)
    worker.send({ kind: 'drain', timeoutMs: 2000, patient: false })
    await worker.seen('drained')
    expect(await worker.exited).toEqual({ code: 0, signal: null })
  })

  it('survives close() and abort before the socket came, and listens again on the same one', async ({ primary }) => {
    const worker = primary.fork('close-early.mjs')
    await worker.until(() => worker.foreign.includes('again'), 'listening again')
    expect(worker.foreign).toEqual(['closed', 'aborted', 'again'])
    expect(primary.ports).toHaveLength(1)
    expect((await get(primary.port)).status).toBe(200)
  })
})

describe('frameworks and kinds of entry', () => {
  for (const fixture of ['express.mjs', 'fastify.mjs', 'typescript.ts', 'commonjs.cjs']) {
    it(`runs ${fixture} unchanged`, async ({ primary }) => {
      const worker = primary.fork(fixture)
      await worker.seen('listening')
      expect((await get(primary.port)).body).toBe(`hello from ${worker.pid}`)
      worker.send({ kind: 'drain', timeoutMs: 2000, patient: false })
      expect(await worker.seen('drained')).toEqual({ kind: 'drained', cutConnections: 0, cutRequests: 0 })
      expect(await worker.exited).toEqual({ code: 0, signal: null })
      expect(worker.stderr).toBe('')
    })
  }
})

describe('a spare', () => {
  it('listens as far as the app can tell, and accepts from its promotion on', async ({ primary }) => {
    await firstWorker(primary)
    const spare = listens(primary, [[0, '127.0.0.1']], { STATIONMASTER_ROLE: 'spare' })
    expect(await said(spare, 0)).toMatchObject({ listening: true })
    await spare.seen('listening')
    await spare.seen('report') // it lives although nothing is polled
    await primary.workers[0]?.kill()
    const answer = get(primary.port)
    const early = await Promise.race([answer, spare.seen('report', ({ report }) => report.requests > 0 || spare.all('report').length > 5)])
    expect(early).toHaveProperty('kind', 'report')
    spare.send({ kind: 'promote' })
    expect((await answer).body).toBe(`0 ${spare.pid}`)
  })

  it('keeps its door shut until it is ready where readiness has to be said', async ({ primary }) => {
    await firstWorker(primary)
    const worker = primary.fork('says-ready.mjs', { STATIONMASTER_READY_WHEN: 'ready' })
    await worker.seen('listening')
    await primary.workers[0]?.kill()
    const answer = get(primary.port)
    worker.worker.send('get ready')
    await worker.seen('ready')
    await worker.seen('report')
    expect(worker.foreign).toEqual(['ready'])
    expect((await answer).body).toBe('was ready')
  })
})

/** Makes the kernel listen, so that connections wait while there is nobody to accept them. */
async function firstWorker(primary: MiniPrimary): Promise<void> {
  await primary.fork('plain-http.mjs').seen('listening')
}

describe('an unsupervised process', () => {
  it('is left alone by the preload, and so are the processes and threads of a worker', async ({ primary }) => {
    const worker = primary.fork('begets.mjs', { STATIONMASTER_WORKER_SLOT: 'public' })
    const seen = await worker.until(() => worker.foreign[0] as Record<string, unknown> | undefined, 'what the descendants saw')
    expect(seen).toEqual({
      own: { supervised: true, role: undefined, slot: 'public' },
      child: { supervised: false, role: undefined, slot: 'public' },
      thread: { supervised: false, role: undefined, slot: 'public' },
    })
  })
})
