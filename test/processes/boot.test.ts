import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect } from 'vitest'
import { it } from './harness.ts'
import { isListening } from './harness/leftovers.ts'
import { fixture } from './harness/station.ts'
import { until } from './harness/until.ts'

const CRASH_LOOP = { restart: { intensity: 2 } }

describe('an app that cannot be started', () => {
  for (const { app, says, why } of [
    { app: 'throws-at-boot', says: 'the setting GREETING is missing', why: 'exited with code 1 before it was ready' },
    { app: 'exits-1', says: 'cannot start today', why: 'exited with code 1 before it was ready' },
    { app: 'exits-0', says: 'nothing to do', why: 'exited with code 0 before it was ready' },
  ]) {
    it(`ends the supervisor with exit code 1, the cause and the last words: ${app}`, async ({ stage }) => {
      const station = await stage.launch({ app, config: CRASH_LOOP })
      expect(await station.ends()).toEqual({ code: 1, signal: null })
      const exits = station.notes('worker:exited')
      // More than the intensity ended it; what was booting beside the last one may have died too.
      expect(exits.length).toBeGreaterThan(2)
      expect(exits.length).toBeLessThanOrEqual(4)
      const { msg, level } = await station.noted('fleet:stopped')
      expect(level).toBe('error')
      expect(msg).toContain('The app did not start: it failed 3 times')
      expect(msg).toContain(why)
      expect(msg).toContain(says)
      expect(station.stderr).toContain(says)
    })
  }

  it('is not waited for beyond workers.bootTimeout when it hangs', async ({ stage }) => {
    const station = await stage.launch({ app: 'never-ready', config: { workers: { bootTimeout: '3s' }, restart: { intensity: 1 } } })
    expect(await station.ends()).toEqual({ code: 1, signal: null })
    const { msg } = await station.noted('fleet:stopped')
    expect(msg).toContain('was not ready within 3 s (workers.bootTimeout)')
    expect(msg).toContain('waiting for a database that never comes')
    expect(station.notes('worker:killed').length).toBeGreaterThanOrEqual(2)
  })

  it('is given the time it needs when it is slow', async ({ stage }) => {
    const station = await stage.start({ app: 'slow-boot', env: { BOOT_MS: '700' } })
    const pids = (await station.running(2)).map(({ pid }) => String(pid))
    expect(pids).toContain(await station.get())
    expect((await station.status())?.restarts.total).toBe(0)
  })
})

describe('a crash loop that begins late', () => {
  it('ends the supervisor with exit code 1 and the cause, however long it served before', async ({ stage }) => {
    const place = await stage.place()
    const station = await stage.launch({ app: 'crashes-late', config: CRASH_LOOP, env: { POISON: path.join(place.folder, 'poison') } }, place)
    await station.running(2)
    const load = stage.load(station, 8)
    await load.answers(500)
    await load.stop()
    expect(load.summary()).toBe('none')
    await station.get('/poison')
    expect(await station.ends()).toEqual({ code: 1, signal: null })
    const { msg } = await station.noted('fleet:stopped')
    expect(msg).toContain('more than the restart intensity of 2 allows')
    expect(msg).toContain('row 4711 cannot be read')
    expect(station.notes('worker:exited').filter(({ expected }) => expected === false).length).toBeGreaterThan(2)
  })
})

describe('ready', () => {
  for (const says of ['ready()', "process.send('ready')"]) {
    it(`is a worker that says ${says}, and nobody is let in before`, async ({ stage }) => {
      const place = await stage.place()
      const env = { BOOT_FILE: path.join(place.folder, 'warm'), SAYS: says }
      const station = await stage.launch({ entry: fixture('says-ready'), config: { workers: { readyWhen: 'ready' } }, env }, place)
      await until('two servers that listen', () => station.stderr.split('listens').length > 2)
      expect(await isListening({ host: '127.0.0.1', port: station.port })).toBe(false)
      const early = await station.status()
      expect(early).toMatchObject({ state: 'starting', fleet: { ready: 0 }, workers: [{ state: 'booting' }, { state: 'booting' }] })
      await writeFile(env.BOOT_FILE, '')
      const pids = (await station.running(2)).map(({ pid }) => String(pid))
      expect(pids).toContain(await station.get())
    })
  }

  it('is not what listens without saying so', async ({ stage }) => {
    const config = { workers: { readyWhen: 'ready', bootTimeout: '500ms' }, restart: { intensity: 0 } }
    const station = await stage.launch({ app: 'plain', config })
    expect(await station.ends()).toEqual({ code: 1, signal: null })
    expect((await station.noted('fleet:stopped')).msg).toContain('was not ready within 500 ms (workers.bootTimeout)')
  })
})
