import http from 'node:http'
import { access } from 'node:fs/promises'
import { describe, expect } from 'vitest'
import { it } from './harness.ts'
import type { Station } from './harness/station.ts'
import { until } from './harness/until.ts'

const EX_SOFTWARE = 70

describe('a supervisor that is killed with -9', () => {
  it('leaves workers that answer what they have and go, and a place that its successor can take at once', async ({ stage }) => {
    const place = await stage.place()
    const options = { app: 'slow-handler', env: { SLOW_MS: '500' } }
    const first = await stage.launch(options, place)
    const pids = (await first.running(2)).map(({ pid }) => pid as number)
    const slow = Array.from({ length: 8 }, () => first.get('/slow'))
    await first.until('requests in workers', ({ workers }) => workers.reduce((sum, { queue }) => sum + (queue ?? 0), 0) === 8)
    const load = stage.load(first, 8)
    await load.answers(100)
    first.signal('SIGKILL')
    const answers = await Promise.all(slow)
    // The successor does not wait for the orphans.
    const second = await stage.launch(options, place)
    await second.running(2)
    expect(answers.every((pid) => pids.includes(Number(pid)))).toBe(true)
    await until('the end of the orphans', async () => (await stage.alive()).every(({ pid }) => !pids.includes(pid)))
    await load.stop()
    // Clients that come between the two find nobody; nothing that was taken is dropped.
    expect(load.failed('timeout')).toEqual([])
    expect(load.failed('status')).toEqual([])
    expect(pids).not.toContain(Number(await second.get()))
    second.signal('SIGTERM')
    expect(await second.ends()).toEqual({ code: 0, signal: null })
  })

  it('leaves workers whose exit code says that something went wrong', async ({ stage }) => {
    const station = await stage.start({ app: 'tells-its-exit' })
    station.signal('SIGKILL')
    await until('the end of the workers', async () => (await stage.alive()).length === 0)
    expect(station.stdout.match(/exit code \d+/g)).toEqual([`exit code ${EX_SOFTWARE}`, `exit code ${EX_SOFTWARE}`])
  })

  it('leaves no worker behind that is busy with a request which never ends', async ({ stage }) => {
    const station = await stage.start({ app: 'hangs-handler' })
    const hung = http.get({ host: '127.0.0.1', port: station.port, path: '/hang', agent: false })
    const cut = new Promise((resolve) => hung.once('response', (response) => response.resume().once('error', resolve)))
    await new Promise((resolve) => hung.once('response', resolve))
    station.signal('SIGKILL')
    await until('the end of the workers', async () => (await stage.alive()).length === 0)
    expect(await cut).toMatchObject({ code: 'ECONNRESET' })
  })

  it('while it boots leaves nothing behind', async ({ stage }) => {
    const station = await stage.launch({ app: 'never-ready' })
    await station.until('workers that boot', ({ workers }) => workers.length === 2 && workers.every(({ pid }) => pid !== null))
    station.signal('SIGKILL')
    await until('the end of the workers', async () => (await stage.alive()).length === 0)
  })

  it('leaves a control socket that its successor takes over', async ({ stage }) => {
    const place = await stage.place()
    const first = await stage.launch({ app: 'plain' }, place)
    await first.running(2)
    first.signal('SIGKILL')
    await first.ends()
    await access(first.socket)
    const second = await stage.launch({ app: 'plain' }, place)
    const status = await second.until('the successor', ({ state, ...rest }) => state === 'running' && rest)
    expect(status.pid).toBe(second.pid)
  })

  for (const { how, app } of [
    { how: 'cannot turn its event loop', app: 'blocks-loop' },
    { how: 'is stopped', app: 'plain' },
  ]) {
    it(`may leave a worker that ${how}: its successor takes the port from it`, async ({ stage }) => {
      const place = await stage.place()
      const first = await stage.launch({ app }, place)
      const [stuck] = await first.running(2)
      const pid = stuck?.pid as number
      if (app === 'plain') process.kill(pid, 'SIGSTOP')
      else await blockOne(first)
      first.signal('SIGKILL')
      await until('the end of all but one', async () => (await stage.alive()).length === 1)
      const [left] = await stage.alive()
      const second = await stage.launch({ app: 'plain' }, place)
      const workers = await second.running(2)
      expect(workers.map((worker) => String(worker.pid))).toContain(await second.get())
      const { msg } = await second.noted('fleet:warning')
      expect(msg).toBe(`A worker of an earlier supervisor (pid ${left?.pid}) still held port ${place.port} and did not end by itself: it was killed.`)
      expect((await stage.alive()).map((alive) => alive.pid)).not.toContain(left?.pid)
    })
  }

  it('is no reason to touch the workers of one that lives', async ({ stage }) => {
    const first = await stage.start({ app: 'plain' })
    const before = (await first.running(2)).map(({ pid }) => pid)
    const other = await stage.place()
    const second = await stage.launch({ app: 'plain' }, { ...other, port: first.port })
    expect(await second.ends()).toEqual({ code: 1, signal: null })
    expect((await second.noted('fleet:stopped')).msg).toContain('is in use by')
    expect((await first.running(2)).map(({ pid }) => pid)).toEqual(before)
  })
})

/** One worker's event loop is stuck from now on. */
async function blockOne(station: Station): Promise<void> {
  station.get('/block').catch(() => {})
  await station.until('one silent worker', ({ workers }) => workers.some(({ queue }) => queue === null))
}
