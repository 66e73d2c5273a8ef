import { once } from 'node:events'
import { describe, expect } from 'vitest'
import { get, it, NOTHING_CUT, RawClient, start } from './harness.ts'
import type { MiniPrimary, MiniWorker } from './mini-primary.ts'

async function drain(primary: MiniPrimary, how: string, timeoutMs = 5000): Promise<MiniWorker> {
  const worker = await start(primary, 'cleans-up.mjs', { HOW: how })
  worker.send({ kind: 'drain', timeoutMs, patient: false })
  return worker
}

describe('what the app does at its end', () => {
  it('happens in order: hooks, then its SIGTERM listeners, then the exit', async ({ primary }) => {
    const worker = await drain(primary, '')
    expect(await worker.exited).toEqual({ code: 0, signal: null })
    expect(worker.foreign).toEqual(['first hook', 'last hook', ['SIGTERM', 15], 'closed', 'exit 0'])
    expect(worker.all('drained')).toEqual([{ kind: 'drained', ...NOTHING_CUT }])
    expect(worker.stderr).toBe('')
  })

  it('comes after the last response', async ({ primary }) => {
    const worker = await start(primary, 'cleans-up.mjs')
    const client = new RawClient(primary.port)
    client.say('GET /never HTTP/1.1\r\nHost: x\r\n\r\n')
    await worker.until(() => worker.foreign.includes('/never'), 'the request')
    worker.send({ kind: 'drain', timeoutMs: 5000, patient: false })
    const count = worker.all('report').length
    await worker.until(() => worker.all('report').length > count + 5, 'some time')
    expect(worker.foreign).toEqual(['/never'])
    client.socket.destroy()
    await worker.exited
    expect(worker.foreign.slice(0, 2)).toEqual(['/never', 'first hook'])
  })

  it('is not stopped by a hook that throws', async ({ primary }) => {
    const worker = await drain(primary, 'hook throws')
    expect(await worker.exited).toEqual({ code: 0, signal: null })
    expect(worker.foreign).toEqual(['first hook', 'last hook', ['SIGTERM', 15], 'closed', 'exit 0'])
    expect(worker.stderr).toMatch(/^stationmaster: an onDrain hook failed: Error: no more\n/)
  })

  it('is not stopped by a hook that hangs', async ({ primary }) => {
    const worker = await drain(primary, 'hook hangs', 2000)
    expect(await worker.exited).toEqual({ code: 0, signal: null })
    expect(worker.foreign).toEqual(['first hook', 'last hook', ['SIGTERM', 15], 'closed', 'exit 0'])
    expect(worker.stderr).toMatch(/^stationmaster: an onDrain hook did not end within \d+ ms and is no longer waited for.\n$/)
  })

  it('may be an exit in a hook, which is told all the same', async ({ primary }) => {
    const worker = await drain(primary, 'hook exits')
    expect(await worker.exited).toEqual({ code: 3, signal: null })
    expect(worker.foreign).toEqual(['first hook', 'exit 3'])
    expect(worker.all('drained')).toEqual([{ kind: 'drained', ...NOTHING_CUT }])
  })

  it('is not stopped by a SIGTERM listener that throws', async ({ primary }) => {
    const worker = await drain(primary, 'listener throws', 1500)
    expect(await worker.exited).toEqual({ code: 0, signal: null })
    expect(worker.foreign).toEqual(['first hook', 'last hook', ['SIGTERM', 15], 'exit 0'])
    expect(worker.stderr).toMatch(/^stationmaster: a SIGTERM listener failed: Error: not like this\n/)
  })

  it('may be an exit of its own, with its own code', async ({ primary }) => {
    const worker = await drain(primary, 'exits by itself')
    expect(await worker.exited).toEqual({ code: 7, signal: null })
    expect(worker.all('drained')).toEqual([{ kind: 'drained', ...NOTHING_CUT }])
  })

  it('is what it does on SIGINT if it does not listen for SIGTERM', async ({ primary }) => {
    const worker = await drain(primary, 'SIGINT')
    expect(await worker.exited).toEqual({ code: 0, signal: null })
    expect(worker.foreign).toEqual(['first hook', 'last hook', ['SIGINT', 2], 'closed', 'exit 0'])
  })

  it('may be nothing', async ({ primary }) => {
    const worker = await drain(primary, 'no listener')
    expect(await worker.exited).toEqual({ code: 0, signal: null })
    expect(worker.foreign).toEqual(['first hook', 'last hook', 'exit 0'])
  })
})

describe('an app that ends in the middle of a drain', () => {
  for (const [path, code] of [['/exit', 5] as const, ['/throw', 1] as const]) {
    it(`tells what that cut (${path})`, async ({ primary }) => {
      const worker = await start(primary, 'cleans-up.mjs')
      const [waiting, fatal] = [new RawClient(primary.port), new RawClient(primary.port)]
      waiting.say('GET /never HTTP/1.1\r\nHost: x\r\n\r\n')
      fatal.say('GE')
      await worker.seen('report', ({ report }) => report.queue === 1 && report.connections === 2)
      worker.send({ kind: 'drain', timeoutMs: 20_000, patient: false })
      const count = worker.all('report').length
      await worker.until(() => worker.all('report').length > count + 1, 'the drain')
      fatal.say(`T ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
      expect(await worker.exited).toEqual({ code, signal: null })
      const [drained] = worker.all('drained')
      expect(drained?.cutRequests).toBeGreaterThan(0)
      await Promise.all([waiting.closed, fatal.closed])
    })
  }
})

describe('signals from outside', () => {
  it('are the business of the primary: a worker goes on', async ({ primary }) => {
    const worker = await start(primary, 'cleans-up.mjs')
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.kill(worker.pid, signal)
    const count = worker.all('report').length
    await worker.until(() => worker.all('report').length > count + 2, 'more reports')
    expect((await get(primary.port)).body).toBe('ok')
    expect(worker.foreign).toEqual(['/'])
  })

  it('are so from the first moment that the app runs', async ({ primary }) => {
    const worker = primary.fork('cleans-up.mjs')
    await worker.seen('hello')
    process.kill(worker.pid, 'SIGTERM')
    await worker.seen('listening')
    await once(worker.worker, 'message')
    expect((await get(primary.port)).body).toBe('ok')
  })
})
