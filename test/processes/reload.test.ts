import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect } from 'vitest'
import { it } from './harness.ts'
import { CLI, type Station } from './harness/station.ts'
import { until } from './harness/until.ts'

const CLIENTS = 64

/** `stationmaster reload`, as an operator types it. */
async function typeReload(station: Station): Promise<{ code: number; said: string }> {
  const command = spawn(process.execPath, [CLI, 'reload', '--control', station.socket], {
    env: { ...process.env, ...station.place.mark, NO_COLOR: '1' },
  })
  let said = ''
  for (const stream of [command.stdout, command.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  }
  const [code] = (await once(command, 'close')) as [number]
  return { code, said }
}

const pidsOf = async (station: Station, workers: number): Promise<number[]> => (await station.running(workers)).map(({ pid }) => pid as number)

describe('under 64 keep-alive clients', () => {
  it('three reloads fail no request, and there are never fewer ready workers than before', async ({ stage }) => {
    const station = await stage.start({ app: 'plain' })
    const load = stage.load(station, CLIENTS)
    await load.everyoneAnswered()
    let fewest = 2
    const watch = (async () => {
      for await (const note of station.control.events()) {
        const { fleet } = await station.control.status()
        fewest = Math.min(fewest, fleet.ready)
        if (note.kind === 'reload:done' && note.generation === 4) return
      }
    })()
    for (const generation of [2, 3, 4]) {
      expect(await station.control.reload()).toContain(`generation ${generation} is serving: 2 workers were replaced`)
    }
    await watch
    await load.everyoneAnswered()
    await load.stop()
    expect(load.summary()).toBe('none')
    expect(fewest).toBe(2)
    expect((await station.running(2)).map(({ generation }) => generation)).toEqual([4, 4])
    expect(station.notes('worker:drained').map(({ cutRequests, cutConnections }) => [cutRequests, cutConnections])).toEqual(
      Array.from({ length: 6 }, () => [0, 0]),
    )
  })

  it('scaling 4 to 1 to 4 fails no request', async ({ stage }) => {
    const station = await stage.start({ app: 'plain', config: { workers: { min: 1 } } }, 1)
    await station.control.scale(4)
    const load = stage.load(station, CLIENTS)
    await load.everyoneAnswered()
    await station.control.scale(1)
    await station.running(1)
    await load.everyoneAnswered()
    await station.control.scale(4)
    await station.running(4)
    await load.everyoneAnswered()
    await load.stop()
    expect(load.summary()).toBe('none')
    expect(station.notes('worker:exited').map(({ expected, code }) => [expected, code])).toEqual(Array.from({ length: 3 }, () => [true, 0]))
  })

  it("neither does Node's own round robin, the fallback", async ({ stage }) => {
    const station = await stage.start({ app: 'plain', config: { routing: { balance: 'round-robin' } } })
    const load = stage.load(station, CLIENTS)
    await load.everyoneAnswered()
    await station.control.scale(4)
    await station.control.reload()
    await station.control.scale(1)
    await station.running(1)
    await load.everyoneAnswered()
    await station.control.scale(3)
    await load.everyoneAnswered()
    await load.stop()
    expect(load.summary()).toBe('none')
    expect((await station.running(3)).map(({ generation }) => generation)).toEqual([2, 2, 2])
  })
})

describe('a release that is no good', () => {
  for (const { app, why, bootTimeout = '20s', serves = false } of [
    { app: 'throws-at-boot', why: 'the setting GREETING is missing' },
    { app: 'exits-0', why: 'exited with code 0' },
    { app: 'never-ready', why: 'was not ready within 3 s (workers.bootTimeout)', bootTimeout: '3s' },
    { app: 'crashes-after-listening', why: 'ended itself just after it listened', serves: true },
  ]) {
    it(`leaves the old workers where they are, and says why with exit code 1: ${app}`, async ({ stage }) => {
      const station = await stage.start({ app: 'plain', config: { workers: { bootTimeout } } })
      const before = await pidsOf(station, 2)
      const load = stage.load(station, 16)
      await load.everyoneAnswered()
      await station.deploy(app)
      const { code, said } = await typeReload(station)
      expect(said).toContain('Reload aborted: ')
      expect(said).toContain(why)
      expect(said).toContain('the old workers stay')
      expect(said.trim().split('\n')).toHaveLength(1)
      expect(code).toBe(1)
      expect(await pidsOf(station, 2)).toEqual(before)
      await load.everyoneAnswered()
      await load.stop()
      // What served for a moment may have had requests when it ended.
      expect(load.failed().filter(({ kind }) => !serves || kind !== 'reset')).toEqual([])
      expect(await station.status()).toMatchObject({ state: 'running', generation: 1 })
      // And the next release, a good one, is not held up by the bad one.
      await station.deploy('plain')
      expect(await typeReload(station)).toMatchObject({ code: 0 })
      expect(await pidsOf(station, 2)).not.toEqual(before)
    })
  }

  it('is stopped where it fails when the first worker of it was good', async ({ stage }) => {
    const station = await stage.start({ app: 'plain' })
    const load = stage.load(station, 16)
    const reload = station.control.reload().catch((error: Error) => error.message)
    await station.noted('worker:ready', ({ generation }) => generation === 2)
    await station.deploy('throws-at-boot')
    expect(await reload).toMatch(
      /^Reload aborted: .*; 1 worker is new, the others stay as they were\. It said: Error: the setting GREETING is missing$/,
    )
    expect((await station.running(2)).map(({ generation }) => generation).toSorted((a, b) => a - b)).toEqual([1, 2])
    await station.deploy('plain')
    expect(await station.control.reload()).toContain('2 workers were replaced')
    await load.everyoneAnswered()
    await load.stop()
    expect(load.summary()).toBe('none')
    expect(new Set((await station.running(2)).map(({ generation }) => generation)).size).toBe(1)
  })

  it('is refused by SIGHUP in the same way', async ({ stage }) => {
    const station = await stage.start({ app: 'plain' })
    const before = await pidsOf(station, 2)
    await station.deploy('throws-at-boot')
    station.signal('SIGHUP')
    expect((await station.noted('reload:aborted')).msg).toContain('the setting GREETING is missing')
    expect(await pidsOf(station, 2)).toEqual(before)
  })
})

describe('SIGHUP', () => {
  it('reloads', async ({ stage }) => {
    const station = await stage.start({ app: 'plain' })
    const before = await pidsOf(station, 2)
    station.signal('SIGHUP')
    await station.noted('reload:done')
    expect((await pidsOf(station, 2)).filter((pid) => before.includes(pid))).toEqual([])
  })
})

describe('a second reload', () => {
  it('is refused while the first is under way', async ({ stage }) => {
    const station = await stage.start({ app: 'plain' })
    const first = station.control.reload()
    await station.noted('reload:started')
    await expect(station.control.reload()).rejects.toMatchObject({ code: 'SM_RELOAD_BUSY' })
    expect(await first).toContain('generation 2 is serving')
    await until('one reload', () => station.notes('reload:done').length === 1)
  })
})
