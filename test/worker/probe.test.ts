import { describe, expect } from 'vitest'
import type { MiniWorker } from './mini-primary.ts'
import { it, start } from './harness.ts'

type Probed = { readonly healthy: boolean; readonly detail: string }

async function probe(worker: MiniWorker, path: string, timeoutMs = 5000): Promise<Probed> {
  const count = worker.all('probed').length
  worker.send({ kind: 'probe', path, timeoutMs })
  const { healthy, detail } = await worker.until(() => worker.all('probed')[count], 'the probe')
  return { healthy, detail }
}

describe('a probe', () => {
  it('asks the worker itself, even a spare, and is no traffic', async ({ primary }) => {
    const worker = await start(primary, 'health.mjs', { STATIONMASTER_ROLE: 'spare' })
    expect(await probe(worker, '/health')).toEqual({ healthy: true, detail: '/health answered 200' })
    expect(await probe(worker, '/moved')).toEqual({ healthy: true, detail: '/moved answered 302' })
    expect(await probe(worker, '/broken')).toEqual({ healthy: false, detail: '/broken answered 503' })
    expect(worker.foreign).toEqual(['127.0.0.1 stationmaster', '127.0.0.1 stationmaster', '127.0.0.1 stationmaster'])
    const count = worker.all('report').length
    await worker.until(() => worker.all('report').length > count + 1, 'reports')
    expect(worker.all('report').every(({ report }) => report.requests === 0 && report.connections === 0)).toBe(true)
  })

  it('takes no answer, a broken one and none at all for what they are', async ({ primary }) => {
    const worker = await start(primary, 'health.mjs')
    expect(await probe(worker, '/never', 100)).toEqual({ healthy: false, detail: 'no answer to /never within 100 ms' })
    expect(await probe(worker, '/hangs-up')).toEqual({ healthy: false, detail: 'socket hang up' })
    expect(await probe(worker, 'not a path')).toMatchObject({ healthy: false })
    expect(await probe(worker, '/health')).toMatchObject({ healthy: true })
    expect(worker.stderr).toBe('')
  })

  it('speaks to an https server', async ({ primary }) => {
    const worker = await start(primary, 'encrypted.mjs', { KIND: 'https' })
    expect(await probe(worker, '/')).toEqual({ healthy: true, detail: '/ answered 200' })
  })

  it.for(['h2', 'h2c'])('speaks HTTP/2 to a server that does (%s)', async (kind, { primary }) => {
    const worker = await start(primary, 'encrypted.mjs', { KIND: kind })
    expect(await probe(worker, '/')).toEqual({ healthy: true, detail: '/ answered 200' })
    expect(await probe(worker, '/never', 100)).toEqual({ healthy: false, detail: 'no answer to /never within 100 ms' })
    const count = worker.all('report').length
    await worker.until(() => worker.all('report').length > count + 1, 'reports')
    expect(worker.all('report').every(({ report }) => report.requests === 0 && report.connections === 0)).toBe(true)
    expect(worker.stderr).toBe('')
  })

  it('says so where nothing speaks HTTP', async ({ primary }) => {
    const worker = await start(primary, 'raw-net.mjs')
    expect(await probe(worker, '/')).toEqual({ healthy: false, detail: 'no HTTP server listens in this worker' })
  })
})
