import { writeFile } from 'node:fs/promises'
import http from 'node:http'
import path from 'node:path'
import { describe, expect } from 'vitest'
import { it } from './harness.ts'
import type { Station } from './harness/station.ts'
import { within } from './harness/until.ts'

/** A repeated signal within this time is one request, see the group signal of a terminal. */
const BEYOND_SAME_REQUEST_S = 1.1

/** A request whose handler never ends it: resolves once the handler runs, with the way it ended. */
async function hang(station: Station): Promise<{ pid: number; ended: Promise<string> }> {
  const request = http.get({ host: '127.0.0.1', port: station.port, path: '/hang', agent: false })
  return await new Promise((resolve, reject) => {
    request.once('error', reject)
    request.once('response', (response) => {
      const ended = new Promise<string>((done) =>
        response.once('end', () => done('answered')).once('error', (error: NodeJS.ErrnoException) => done(error.code ?? '')),
      )
      response.once('data', (pid) => resolve({ pid: Number(pid), ended }))
    })
  })
}

/** Until so much time has passed for the supervisor itself: it must not take the next signal for an echo of the last. */
async function longerThanAnEcho(station: Station, sinceUptimeS: number): Promise<void> {
  await station.until('a second later', ({ uptimeS }) => uptimeS - sinceUptimeS > BEYOND_SAME_REQUEST_S)
}

describe('SIGTERM', () => {
  it('answers every request under load before it ends with 0', async ({ stage }) => {
    const station = await stage.start({ app: 'slow-handler', env: { SLOW_MS: '300' } })
    const load = stage.load(station, 16)
    const slow = Array.from({ length: 8 }, () => station.get('/slow'))
    await load.everyoneAnswered()
    station.signal('SIGTERM')
    expect(await station.ends()).toEqual({ code: 0, signal: null })
    expect(await Promise.all(slow)).toHaveLength(8)
    await load.stop()
    // A client without a connection may come when nobody lets it in any more; whoever has one is answered.
    expect(load.failed().filter(({ kind, pid }) => pid !== null || (kind !== 'refused' && kind !== 'reset'))).toEqual([])
    expect(station.notes('worker:drained').map(({ cutRequests }) => cutRequests)).toEqual([0, 0])
  })

  it('lets nobody in any more, instead of holding newcomers up until the end', async ({ stage }) => {
    const station = await stage.start({ app: 'slow-handler', env: { SLOW_MS: '3000' } })
    const slow = station.get('/slow')
    await station.until('the request in a worker', ({ workers }) => workers.some(({ queue }) => queue === 1))
    station.signal('SIGTERM')
    await station.noted('worker:exited')
    // One worker is gone, the other still has its request.
    await expect(station.get()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect((await station.status())?.state).toBe('draining')
    expect(Number(await slow)).toBeGreaterThan(0)
    expect(await station.ends()).toEqual({ code: 0, signal: null })
  })

  it('cuts a handler that never answers at drain.timeout', async ({ stage }) => {
    const station = await stage.start({ app: 'hangs-handler', config: { drain: { timeout: '2s' } } })
    const { ended } = await hang(station)
    station.signal('SIGTERM')
    expect(await station.ends()).toEqual({ code: 0, signal: null })
    expect(await ended).toBe('ECONNRESET')
    // The worker cuts and tells just before its time is up; where it is held up, the supervisor ends it when it is.
    const cut = station.notes('worker:drained').filter(({ cutRequests }) => cutRequests === 1)
    const killed = station.notes('worker:killed').filter(({ reason }) => reason === 'its drain did not end by its deadline')
    expect(cut.length + killed.length).toBeGreaterThanOrEqual(1)
  })

  it('kills at the deadline what ignores its drain', async ({ stage }) => {
    const station = await stage.start({ app: 'ignores-drain', config: { drain: { timeout: '700ms' } } })
    for (const { pid } of await station.running(2)) process.kill(pid as number, 'SIGSTOP')
    station.signal('SIGTERM')
    expect(await station.ends()).toEqual({ code: 0, signal: null })
    expect(station.notes('worker:killed').map(({ reason }) => reason)).toEqual(
      Array.from({ length: 2 }, () => 'its drain did not end by its deadline'),
    )
  })

  it('gives an app that goes on after its own SIGTERM listener no more time than the drain has', async ({ stage }) => {
    const station = await stage.start({ app: 'ignores-drain', config: { drain: { timeout: '700ms' } } })
    station.signal('SIGTERM')
    expect(await station.ends()).toEqual({ code: 0, signal: null })
  })

  it('hurries when it comes a second time, and ends everything at the third', async ({ stage }) => {
    const station = await stage.start({ app: 'hangs-handler', config: { drain: { timeout: '60s' } } })
    const held = [await hang(station), await hang(station)]
    for (const pid of new Set(held.map(({ pid }) => pid))) process.kill(pid, 'SIGSTOP')
    station.signal('SIGTERM')
    const first = await station.until('draining', ({ state, uptimeS }) => state === 'draining' && { uptimeS })
    await longerThanAnEcho(station, first.uptimeS)
    station.signal('SIGTERM')
    const second = await station.noted('fleet:stopping', ({ reason, timeoutMs }) => reason === 'asked again' && timeoutMs === 2000)
    const { uptimeS } = await station.until('hurried', (status) => status)
    await longerThanAnEcho(station, uptimeS)
    station.signal('SIGTERM')
    expect(await station.ends()).toEqual({ code: 0, signal: null })
    expect(second.level).toBe('info')
    expect(station.notes('worker:killed').map(({ reason }) => reason)).toContain('the supervisor was told to end now')
  })

  it('takes two signals at once for one', async ({ stage }) => {
    const station = await stage.start({ app: 'slow-handler', env: { SLOW_MS: '1000' } })
    const slow = station.get('/slow')
    await station.until('the request in a worker', ({ workers }) => workers.some(({ queue }) => queue === 1))
    station.signal('SIGTERM')
    station.signal('SIGINT')
    expect(await station.ends()).toEqual({ code: 0, signal: null })
    expect(Number(await slow)).toBeGreaterThan(0)
    expect(station.notes('fleet:stopping')).toHaveLength(1)
  })

  it('ends a fleet that is still booting', async ({ stage }) => {
    const station = await stage.launch({ app: 'never-ready', config: { drain: { timeout: '1s' } } })
    await station.until('a worker that boots', ({ workers }) => workers.some(({ state, pid }) => state === 'booting' && pid !== null))
    station.signal('SIGTERM')
    expect(await station.ends()).toEqual({ code: 0, signal: null })
  })

  it('ends a fleet in the middle of a reload, and the reload is told so', async ({ stage }) => {
    const station = await stage.start({ app: 'plain', config: { drain: { timeout: '1s' } } })
    await station.deploy('never-ready')
    const reload = station.control.reload().then(
      () => 'done',
      (error: { code: string }) => error.code,
    )
    await station.until('a worker of the new generation', ({ workers }) => workers.some(({ generation }) => generation === 2))
    station.signal('SIGTERM')
    expect(await station.ends()).toEqual({ code: 0, signal: null })
    expect(await within('the end of the reload', reload)).toBe('SM_STOPPING')
  })
})

describe('SIGINT', () => {
  it('sent to the whole process group, as a terminal does, loses nothing', async ({ stage }) => {
    const station = await stage.start({ app: 'slow-handler', env: { SLOW_MS: '500' }, detached: true })
    const slow = Array.from({ length: 8 }, () => station.get('/slow'))
    await station.until('requests in workers', ({ workers }) => workers.reduce((sum, { queue }) => sum + (queue ?? 0), 0) === 8)
    process.kill(-station.pid, 'SIGINT')
    expect(await station.ends()).toEqual({ code: 0, signal: null })
    expect(await Promise.all(slow)).toHaveLength(8)
    expect(station.notes('worker:drained').map(({ cutRequests }) => cutRequests)).toEqual([0, 0])
  })

  it('during a boot leaves nothing behind', async ({ stage }) => {
    const place = await stage.place()
    const env = { BOOT_FILE: path.join(place.folder, 'go') }
    const station = await stage.launch({ app: 'boots-when-told', env, detached: true, config: { drain: { timeout: '2s' } } }, place)
    await station.until('workers that boot', ({ workers }) => workers.length === 2 && workers.every(({ pid }) => pid !== null))
    process.kill(-station.pid, 'SIGINT')
    await station.noted('fleet:stopping')
    await writeFile(env.BOOT_FILE, '')
    expect(await station.ends()).toEqual({ code: 0, signal: null })
  })
})
