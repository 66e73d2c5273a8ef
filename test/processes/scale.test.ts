import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import http from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect } from 'vitest'
import type { FleetEvent } from '../../packages/supervisor/src/fleet/event.ts'
import type { Fleet } from '../../packages/supervisor/src/fleet/fleet.ts'
import { replay } from '../../packages/supervisor/src/fleet/replay.ts'
import { it } from './harness.ts'
import { fixture } from './harness/station.ts'
import { until } from './harness/until.ts'

/** Grows at once when two requests wait in each worker, and only then. */
const EAGER = { up: { queue: { above: 2, for: '200ms' } }, down: { queue: { below: 1 } }, cooldown: { up: '0ms' }, step: { up: 1 } }

/** Only the signal that a test names may keep the fleet from shrinking. */
const QUIET = { cpu: false, memory: false, queue: false, p95: false, eventLoopDelay: false, eventLoopUtilization: false }

describe('by hand', () => {
  it('goes up to workers.max and down to 1, and says so when it is done', async ({ stage }) => {
    const station = await stage.start({ app: 'plain' })
    expect(await station.control.scale(4)).toBe('4 workers are ready')
    expect((await station.running(4)).map(({ slot }) => slot).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3])
    expect(await station.control.scale(1)).toBe('1 worker is ready')
    await station.running(1)
    expect(await station.status()).toMatchObject({ mode: 'manual', fleet: { target: 1 } })
    await expect(station.control.scale(5)).rejects.toMatchObject({ code: 'SM_REQUEST_INVALID' })
    expect(await station.control.scale('auto')).toBe('scaling follows the load again')
    expect((await station.status())?.mode).toBe('auto')
  })

  it('follows SIGTTIN and SIGTTOU, one worker each', async ({ stage }) => {
    const station = await stage.start({ app: 'plain' })
    station.signal('SIGTTIN')
    await station.running(3)
    station.signal('SIGTTIN')
    await station.running(4)
    station.signal('SIGTTIN')
    await until('a refusal', () =>
      station.notes().some(({ msg, level }) => level === 'warn' && msg.includes('Cannot scale to 5: expected a whole number from 1 to 4')),
    )
    station.signal('SIGTTOU')
    await station.running(3)
    expect((await station.status())?.mode).toBe('manual')
  })

  it('drains the worker that is named, and another takes its place', async ({ stage }) => {
    const station = await stage.start({ app: 'plain' })
    const load = stage.load(station, 16)
    await load.everyoneAnswered()
    const [first] = await station.running(2)
    await station.control.drain(first?.id as number)
    const workers = await station.until(
      'two workers without it',
      ({ fleet, workers: all }) => fleet.ready === 2 && all.every(({ id }) => id !== first?.id) && all,
    )
    await load.everyoneAnswered()
    await load.stop()
    expect(workers).toHaveLength(2)
    expect(load.summary()).toBe('none')
  })

  it('lets the last worker go only when its successor is ready', async ({ stage }) => {
    const station = await stage.start({ app: 'plain', config: { workers: { min: 1 } } }, 1)
    const load = stage.load(station, 16)
    await load.everyoneAnswered()
    await station.control.drain(1)
    await station.noted('worker:exited', ({ workerId }) => workerId === 1)
    await station.running(1)
    await load.everyoneAnswered()
    await load.stop()
    expect(load.summary()).toBe('none')
    const story = station.notes().flatMap(({ event, workerId }) => (event?.startsWith('worker:') ? [`${event} ${String(workerId)}`] : []))
    expect(story.indexOf('worker:ready 2')).toBeLessThan(story.indexOf('worker:draining 1'))
  })
})

describe('a spare', () => {
  it('waits booted and silent, serves as soon as it is promoted, and is followed by another', async ({ stage }) => {
    const station = await stage.launch({ app: 'plain', config: { workers: { min: 1, spares: 1 } } })
    const [worker, spare] = await station.until('a worker and a spare', ({ fleet, workers }) => fleet.ready === 1 && fleet.spares === 1 && workers)
    const early = stage.load(station, 16)
    await early.everyoneAnswered()
    expect(early.pids).toEqual([worker?.pid])
    expect(await station.control.scale(2)).toBe('2 workers are ready')
    const newcomers = stage.load(station, 16)
    await until('an answer by the one that was a spare', () => newcomers.on(spare?.pid as number).length > 0)
    await Promise.all([early.stop(), newcomers.stop()])
    expect([early.summary(), newcomers.summary()]).toEqual(['none', 'none'])
    expect(station.notes('worker:promoted')).toMatchObject([{ workerId: spare?.id }])
    await station.until('the next spare', ({ fleet }) => fleet.ready === 2 && fleet.spares === 1)
  })

  it('takes the place of a worker that dies', async ({ stage }) => {
    const station = await stage.launch({ app: 'plain', config: { workers: { min: 1, spares: 1 } } })
    const [worker, spare] = await station.until('a worker and a spare', ({ fleet, workers }) => fleet.ready === 1 && fleet.spares === 1 && workers)
    process.kill(worker?.pid as number, 'SIGKILL')
    await station.noted('worker:promoted', ({ workerId }) => workerId === spare?.id)
    expect(await station.get()).toBe(String(spare?.pid))
    await station.until('the next spare', ({ fleet }) => fleet.ready === 1 && fleet.spares === 1)
  })

  it('ends with the others', async ({ stage }) => {
    const station = await stage.launch({ app: 'plain', config: { workers: { min: 1, spares: 2 } } })
    await station.until('two spares', ({ fleet }) => fleet.spares === 2)
    station.signal('SIGTERM')
    expect(await station.ends()).toEqual({ code: 0, signal: null })
    expect(station.notes('worker:exited').map(({ expected, code }) => [expected, code])).toEqual(Array.from({ length: 3 }, () => [true, 0]))
  })
})

describe('with the load', () => {
  it('grows, and explains why', async ({ stage }) => {
    const station = await stage.start({ app: 'slow-handler', config: { workers: { min: 1 }, scaling: EAGER }, env: { SLOW_MS: '400' } }, 1)
    const load = stage.load(station, 12, '/slow')
    await station.until('a larger fleet', ({ fleet }) => fleet.ready > 1)
    const decision = (await station.control.decisions()).find(({ from, to }) => to > from)
    expect(decision).toMatchObject({ from: 1, to: 2 })
    expect(decision?.reason).toContain('queue')
    await load.stop()
    const [first, ...lines] = (await Readable.from(station.control.recording()).toArray()) as [string, ...string[]]
    const start = JSON.parse(first) as Fleet
    const again = replay({ start, events: lines.map((line) => JSON.parse(line) as FleetEvent) })
    expect(again.decisions).toContainEqual(decision)
    expect(load.summary()).toBe('none')
  })

  it('adds nobody for requests that wait elsewhere, and says so: what tells it is measured in real workers', async ({ stage }) => {
    // The standard threshold of the queue: undefined takes the harness's `false` away.
    const scaling = { surge: {}, up: { queue: undefined } }
    const station = await stage.start({ app: 'slow-handler', config: { workers: { min: 1 }, scaling }, env: { SLOW_MS: '60000' } }, 1)
    const waiting = Array.from({ length: 330 }, () => http.get({ port: station.place.port, path: '/slow', agent: false }).on('error', () => {}))
    const held = await until('a decision that is held back', async () =>
      (await station.control.decisions()).find(({ heldBackBy }) => heldBackBy.some((sentence) => sentence.startsWith('elsewhere: '))),
    )
    for (const request of waiting) request.destroy()
    expect(held).toMatchObject({ from: 1, to: 1, lane: 'surge' })
    expect(held?.reason).toMatch(/^surge: queue \d+ above 300 for /)
    expect((await station.status())?.fleet.target).toBe(1)
  })

  it("follows a signal of the app's own", async ({ stage }) => {
    const jobsFile = path.join(await mkdtemp(path.join(tmpdir(), 'stationmaster-test-')), 'jobs')
    const scaling = { ...EAGER, up: { jobs: { above: 50, for: '200ms' } }, down: { ...QUIET, jobs: { below: 10, for: '200ms' } } }
    const config = { workers: { min: 1 }, scaling: { ...scaling, cooldown: { up: '0ms', down: '0ms' } } }
    const station = await stage.start({ entry: fixture('reports-signal'), config, env: { JOBS_FILE: jobsFile } }, 1)
    await station.until('a signal that is not known', ({ fleet }) => 'jobs' in fleet.signals && fleet.signals['jobs'] === null)
    await writeFile(jobsFile, '120')
    await station.until('a larger fleet', ({ fleet }) => fleet.ready > 1)
    // Once there are two workers, the next decision may be about both.
    const decision = (await station.control.decisions()).find(({ from, to }) => to > from)
    expect(decision?.reason).toMatch(/^jobs 120 above 50 for /)
    await writeFile(jobsFile, '2')
    await station.until('the smallest fleet', ({ fleet, workers }) => fleet.target === 1 && workers[0]?.signals['jobs'] === 2)
    await rm(path.dirname(jobsFile), { recursive: true })
  })

  it('only decides in shadow mode: nothing is ever forked', async ({ stage }) => {
    const options = { app: 'slow-handler', config: { workers: { min: 1 }, scaling: EAGER }, env: { SLOW_MS: '400' }, flags: ['--shadow'] }
    const station = await stage.start(options, 1)
    const load = stage.load(station, 12, '/slow')
    const decision = await station.until('a decision to grow', ({ lastDecision }) => lastDecision)
    const { uptimeS } = await station.until('its status', (status) => status)
    await station.until('a while later', (status) => status.uptimeS - uptimeS > 1)
    await load.stop()
    expect(load.summary()).toBe('none')
    expect(decision.heldBackBy.join()).toContain('shadow')
    expect(await station.status()).toMatchObject({ mode: 'shadow', fleet: { target: 1, ready: 1 }, workers: [{ id: 1 }] })
  })
})
