import { expect, test } from 'vitest'
import type { StationmasterError } from '../../packages/supervisor/src/errors.ts'
import { wakeAtMs } from '../../packages/supervisor/src/fleet/step.ts'
import { viewOf } from '../../packages/supervisor/src/fleet/view.ts'
import { Driver, fleetSettings, reportOf, running } from './driver.ts'

const errorOf = (driver: Driver, requestId: number): StationmasterError | null | undefined =>
  driver.commandsOf('answer').find((command) => command.requestId === requestId)?.error

/** Lets a reload run: everything boots, drains and settles. */
function runReload(driver: Driver, watch: () => void = () => {}): void {
  for (let rounds = 0; rounds < 100 && driver.fleet.reload; rounds++) {
    driver.bootAll()
    watch()
    driver.send({ kind: 'woken' }, 1000)
    watch()
    driver.leaveAll()
  }
}

test('the first workers boot in parallel, and the fleet runs when the smallest size is ready', () => {
  const driver = new Driver(fleetSettings({ workers: { min: 3 }, capacity: { cpus: 2 } })).send({ kind: 'started' })
  expect(driver.ids('booting')).toEqual([1, 2])
  driver.ready(1).ready(2)
  expect(driver.fleet.phase).toBe('starting')
  driver.ready(3)
  expect(driver.fleet.phase).toBe('running')
  expect(driver.notesOf('fleet:running')).toEqual([{ kind: 'fleet:running', ready: 3 }])
})

test('scale by hand grows at once, is answered when all are ready, and stays by hand until auto', () => {
  const driver = running(1).send({ kind: 'scaleRequested', requestId: 1, workers: 3 })
  expect(driver.commandsOf('answer')).toEqual([])
  driver.bootAll()
  expect(driver.commandsOf('answer')).toEqual([{ kind: 'answer', requestId: 1, error: null, detail: '3 workers are ready' }])
  expect(viewOf(driver.fleet, driver.nowMs)).toMatchObject({ mode: 'manual', lastDecision: { from: 1, to: 3, lane: 'manual', reason: 'by hand' } })
  for (let ticks = 0; ticks < 1000; ticks++) driver.tick({ cpu: 0.01 })
  expect(driver.fleet.target).toBe(3)
  expect(driver.fleet.standing).toMatchObject({ to: 3, wanted: 2, lane: 'manual' })
  expect(driver.fleet.standing?.heldBackBy[0]).toContain('set by hand')
  driver.send({ kind: 'scaleRequested', requestId: 2, workers: 'auto' })
  expect(driver.fleet.standing).toBeNull()
  driver.tick({ cpu: 0.01 })
  expect(driver.fleet.target).toBe(2)
})

test.for([0, -1, 1.5, 11, Number.NaN, Number.POSITIVE_INFINITY])('scale to %s is refused in one sentence', (workers) => {
  const driver = running(1).send({ kind: 'scaleRequested', requestId: 1, workers })
  expect(errorOf(driver, 1)).toMatchObject({ code: 'SM_REQUEST_INVALID', fault: 'option' })
  expect(errorOf(driver, 1)?.message).toContain('expected a whole number from 1 to 10')
  expect(driver.fleet.target).toBe(1)
})

test('scale by hand beyond capacity is obeyed, with a warning that has the numbers', () => {
  const driver = running(1, { capacity: { cpus: 2 } }).send({ kind: 'scaleRequested', requestId: 1, workers: 4 })
  expect(driver.notesOf('fleet:warning')[0]?.message).toBe(
    '4 workers, set by hand, are more than this container carries: 2 CPUs (host) carry 2 workers.',
  )
  expect(driver.fleet.target).toBe(4)
  driver.bootAll().bootAll() // no more boot at once than there are CPUs
  expect(driver.commandsOf('answer')).toMatchObject([
    { error: null, detail: expect.stringMatching(/^4 workers are ready.*4 workers, set by hand, are more than this container carries: 2 CPUs/) },
  ])
})

test('a smaller scale lets the cheapest go and a worker whose load is not known stays', () => {
  const driver = running(3)
  const loads = [reportOf({ queue: 5 }), reportOf({ sockets: 1, connections: 1 }), null]
  driver.send({
    kind: 'sampled',
    wallMs: driver.nowMs,
    samples: loads.map((report, index) => ({ workerId: index + 1, cpu: 0.1, memoryBytes: 1e8, report })),
    usage: { cpus: 1, memoryBytes: 1e9 },
  })
  driver.send({ kind: 'scaleRequested', requestId: 1, workers: 2 })
  expect(driver.ids('draining')).toEqual([2])
})

test('a fleet shrunk while it grows lets those go that still boot, and never the last ready one', () => {
  const driver = running(1).send({ kind: 'scaleRequested', requestId: 1, workers: 3 }).send({ kind: 'scaleRequested', requestId: 2, workers: 1 })
  expect(driver.ids('draining')).toEqual([2, 3])
  expect(driver.ids('ready')).toEqual([1])
  expect(driver.commandsOf('answer').map((command) => command.requestId)).toEqual([1, 2])
})

test('drain: another than the last goes at once and its place is filled', () => {
  const driver = running(2).send({ kind: 'drainRequested', requestId: 1, workerId: 2 })
  expect(driver.ids('draining')).toEqual([2])
  expect(driver.workers('booting').map((worker) => worker.slot)).toEqual([1])
})

test('drain of the last ready one waits for its successor, also when the first successor fails', () => {
  const driver = running(1).send({ kind: 'drainRequested', requestId: 1, workerId: 1 })
  expect(errorOf(driver, 1)).toBeNull()
  expect(driver.ids('ready')).toEqual([1])
  driver.exit(driver.ids('booting')[0] as number)
  expect(driver.ids('ready')).toEqual([1])
  driver.send({ kind: 'woken' }, (wakeAtMs(driver.fleet) as number) - driver.nowMs)
  driver.bootAll()
  expect(driver.ids('draining')).toEqual([1])
  expect(driver.workers('ready').length).toBe(1)
})

test('drain of a worker that is not there names those that are', () => {
  const driver = running(2).send({ kind: 'drainRequested', requestId: 1, workerId: 9 })
  expect(errorOf(driver, 1)?.message).toBe('There is no worker 9 to drain; there are 1, 2.')
})

test('reload: start before stop, one slot at a time, never fewer ready than before', () => {
  const driver = running(3, { workers: { spares: 1 } })
  driver.tick().bootAll()
  driver.send({ kind: 'reloadRequested', requestId: 1 })
  let most = 0
  runReload(driver, () => {
    expect(driver.workers('ready').length).toBeGreaterThanOrEqual(3)
    most = Math.max(most, driver.workers('ready').length)
  })
  expect(most).toBe(4)
  expect(driver.workers('ready').map(({ slot, generation }) => ({ slot, generation }))).toEqual([
    { slot: 0, generation: 2 },
    { slot: 1, generation: 2 },
    { slot: 2, generation: 2 },
  ])
  driver.tick().bootAll()
  expect(driver.workers('spare').map((worker) => worker.generation)).toEqual([2])
  expect(driver.commandsOf('answer')).toEqual([
    { kind: 'answer', requestId: 1, error: null, detail: 'generation 2 is serving: 3 workers were replaced' },
  ])
})

test('reload: the first of the new generation has to stay ready before anything old is touched', () => {
  const driver = running(2).send({ kind: 'reloadRequested', requestId: 1 }).bootAll()
  expect(driver.ids('draining')).toEqual([])
  driver.exit(3)
  expect(errorOf(driver, 1)).toMatchObject({ code: 'SM_RELOAD_FAILED', fault: 'application' })
  expect(driver.ids('ready')).toEqual([1, 2])
  expect(driver.fleet).toMatchObject({ generation: 1, restarts: 0, reload: null })
})

test('reload: a new generation that does not boot aborts it with the reason, old workers untouched', () => {
  const driver = running(2).send({ kind: 'reloadRequested', requestId: 1 })
  driver.exit(3, { lastStderrLines: ['SyntaxError: oops'] })
  expect(errorOf(driver, 1)?.message).toMatch(
    /^Reload aborted: worker 3 of generation 2 exited with code 1 before it was ready to take over; the old workers stay\..*SyntaxError: oops$/,
  )
  expect(driver.ids('ready')).toEqual([1, 2])
  driver.send({ kind: 'reloadRequested', requestId: 2 })
  runReload(driver)
  expect(driver.workers('ready').map((worker) => worker.generation)).toEqual([3, 3])
})

test('reload: a hang in boot aborts it at the boot limit', () => {
  const driver = running(1).send({ kind: 'reloadRequested', requestId: 1 }).send({ kind: 'woken' }, 30_000)
  driver.exit(2, { code: null, signal: 'SIGKILL' })
  expect(errorOf(driver, 1)?.message).toContain('was not ready within 30 s')
  expect(driver.ids('ready')).toEqual([1])
})

test('reload: a second one is refused while the first is under way', () => {
  const driver = running(1).send({ kind: 'reloadRequested', requestId: 1 }).send({ kind: 'reloadRequested', requestId: 2 })
  expect(errorOf(driver, 2)).toMatchObject({ code: 'SM_RELOAD_BUSY' })
})

test('reload: a crash of an old worker in the middle leads on to the new generation', () => {
  const driver = running(3).send({ kind: 'reloadRequested', requestId: 1 })
  driver.exit(1).exit(3)
  driver.send({ kind: 'woken' }, 5000)
  runReload(driver)
  expect(errorOf(driver, 1)).toBeNull()
  expect(driver.workers('ready').map((worker) => worker.generation)).toEqual([2, 2, 2])
})

test('reload: not done while nothing serves', () => {
  const driver = running(1).send({ kind: 'reloadRequested', requestId: 1 })
  driver.exit(1).exit(2)
  expect(driver.commandsOf('answer').filter((command) => command.error === null)).toEqual([])
})

test('reload: asked for while the only worker is in its back-off, it is done when the new generation serves', () => {
  const driver = running(1).exit(1).send({ kind: 'reloadRequested', requestId: 1 })
  expect(driver.commandsOf('answer')).toEqual([])
  driver.send({ kind: 'woken' }, 100)
  expect(driver.workers('booting').map((worker) => worker.generation)).toEqual([2])
  expect(driver.commandsOf('answer')).toEqual([])
  driver.bootAll()
  expect(errorOf(driver, 1)).toBeNull()
})

test('reload: growth and shrinking in the middle both come out right', () => {
  for (const workers of [5, 1]) {
    const driver = running(3).send({ kind: 'reloadRequested', requestId: 1 }).bootAll().send({ kind: 'scaleRequested', requestId: 2, workers })
    runReload(driver)
    expect(driver.workers('ready').map((worker) => worker.generation)).toEqual(Array.from({ length: workers }, () => 2))
    expect(errorOf(driver, 1)).toBeNull()
  }
})

test('a spare is promoted in one message, also while it boots, and also in the middle of a reload', () => {
  const driver = running(1, { workers: { spares: 1 } })
  driver.tick().bootAll().send({ kind: 'reloadRequested', requestId: 1 })
  driver.send({ kind: 'scaleRequested', requestId: 2, workers: 2 })
  expect(driver.commandsOf('promote')).toEqual([{ kind: 'promote', workerId: 2 }])
  expect(driver.ids('ready')).toEqual([1, 2])
  runReload(driver)
  expect(driver.workers('ready').map((worker) => worker.generation)).toEqual([2, 2])
  const booting = running(1, { workers: { spares: 1 } }).tick()
  booting.send({ kind: 'scaleRequested', requestId: 1, workers: 2 }).ready(2)
  expect(booting.ids('ready')).toEqual([1, 2])
})

test('a scheduled floor lifts a fleet that rests, a scheduled ceiling lowers it, and neither touches a size that was set by hand', () => {
  const hour = { cron: '0 8 * * *', timezone: 'UTC', min: 3, max: null, until: '0 9 * * *', forMs: null }
  const night = { cron: '0 22 * * *', timezone: 'UTC', min: null, max: 2, until: '0 23 * * *', forMs: null }
  const driver = running(1, { scaling: { schedule: [hour, night], down: {}, surge: null } })
  const tickAt = (iso: string): Driver => driver.tick({}, Date.parse(iso) - driver.nowMs)
  tickAt('2026-11-24T07:59:59Z')
  expect(driver.fleet.target).toBe(1)
  tickAt('2026-11-24T08:00:00Z').bootAll().bootAll()
  expect(driver.fleet.target).toBe(3)
  expect(driver.fleet.decisions.at(-1)).toMatchObject({ from: 1, to: 3, lane: 'bounds', reason: 'the floor is 3' })
  tickAt('2026-11-24T22:00:00Z').leaveAll()
  expect(driver.fleet.target).toBe(2)
  driver.send({ kind: 'scaleRequested', requestId: 1, workers: 5 }).bootAll()
  tickAt('2026-11-24T22:30:00Z')
  expect(driver.fleet.target).toBe(5)
})

test('schedules go by the clock on the wall: it moves on while the machine sleeps, and may be set back', () => {
  const office = { cron: '0 8 * * *', timezone: 'Europe/Berlin', min: 3, max: null, until: '0 18 * * *', forMs: null }
  const driver = running(1, { scaling: { schedule: [office], down: {}, surge: null } })
  const floorAt = (iso: string): number => driver.tick({ wallMs: Date.parse(iso) }).fleet.limits.min
  // One second of running time between them all.
  expect(floorAt('2026-11-24T06:59:59Z')).toBe(1)
  expect(floorAt('2026-11-24T13:00:00Z')).toBe(3)
  expect(driver.fleet.target).toBe(3)
  expect(floorAt('2026-11-24T17:00:00Z')).toBe(1)
  expect(floorAt('2026-11-24T12:00:00Z')).toBe(3)
  // Berlin's clocks are an hour further in summer.
  expect(floorAt('2026-07-01T06:00:00Z')).toBe(3)
  expect(floorAt('2026-07-01T16:00:00Z')).toBe(1)
})

test('where the CPU of the container is used up, growth is held back, and the decision says so; with room again the fleet grows', () => {
  const driver = running(1, { capacity: { cpus: 4 } })
  const busy = { cpu: 3.9, report: reportOf({ eventLoopUtilization: 0.99 }) }
  for (let ticks = 0; ticks < 10; ticks++) driver.tick({ ...busy, usedCpus: 3.97 })
  expect(driver.fleet.target).toBe(1)
  expect(driver.fleet.decisions).toMatchObject([{ from: 1, to: 1, wanted: 2, lane: 'surge' }])
  expect(driver.fleet.decisions[0]?.heldBackBy).toEqual(['capacity: 3.97 of 4 CPUs (host) are used; more workers cannot help, replicas are needed'])
  driver.tick({ ...busy, usedCpus: 2 })
  expect(driver.fleet.target).toBe(2)
})

test('one peak of CPU, or a usage that is not known, holds nothing back', () => {
  for (const usedCpus of [null, 4]) {
    const driver = running(1, { capacity: { cpus: 4 } })
    driver.tick({ report: reportOf({ eventLoopUtilization: 0.99 }) })
    driver.tick({ report: reportOf({ eventLoopUtilization: 0.99 }), usedCpus })
    expect(driver.fleet.target).toBe(2)
  }
})

test('warm-up: the busy first seconds of a new worker call for no further one', () => {
  const busyNewcomer = (warmUpMs: number): Driver => {
    const driver = running(1, { scaling: { warmUpMs, cooldownUpMs: 0, up: { cpu: { threshold: 0.7, forMs: 3000 } }, surge: null } })
    for (let ticks = 0; ticks < 20; ticks++) driver.tick({ cpu: 0.5 })
    for (let ticks = 0; ticks < 3; ticks++) driver.tick({ cpu: 0.9 })
    driver.bootAll()
    for (let ticks = 0; ticks < 5; ticks++) driver.tick({ cpuOf: { 1: 0.5, 2: 1 } })
    return driver
  }
  expect(busyNewcomer(0).fleet.target).toBe(3)
  expect(busyNewcomer(20_000).fleet.target).toBe(2)
})

test('shadow mode: decisions are told, and the size stays', () => {
  const driver = running(1, { scaling: { mode: 'shadow' } })
  for (let ticks = 0; ticks < 120; ticks++) driver.tick({ report: reportOf({ queue: 900, eventLoopUtilization: 0.6 }) })
  expect(driver.fleet.target).toBe(1)
  expect(driver.notesOf('fleet:decided')[0]?.decision).toMatchObject({ to: 1, wanted: 2, heldBackBy: ['shadow mode: decided, not done'] })
  expect(driver.notesOf('fleet:scaled')).toEqual([])
  expect(viewOf(driver.fleet, driver.nowMs).mode).toBe('shadow')
  driver.send({ kind: 'scaleRequested', requestId: 1, workers: 'auto' })
  expect(driver.commandsOf('answer')).toMatchObject([{ error: null, detail: expect.stringContaining('the size stays; in shadow mode') }])
})

test('a number that is not known yet is null in the status, never 0', () => {
  const driver = running(2)
  const unknown = { cpu: null, memoryBytes: null, memory: null, eventLoopUtilization: null, queue: null, requestsPerSecond: null, p95Ms: null }
  expect(viewOf(driver.fleet, driver.nowMs).workers[0]).toMatchObject(unknown)
  expect(viewOf(driver.fleet, driver.nowMs).fleet).toMatchObject({ cpu: null, queue: null, p95Ms: null, requestsPerSecond: null, ready: 2 })
  driver.tick({ report: reportOf({ requests: 900, queue: 3 }) })
  expect(viewOf(driver.fleet, driver.nowMs).workers[0]).toMatchObject({ cpu: 0.1, queue: 3, requestsPerSecond: 900 })
  expect(viewOf(driver.fleet, driver.nowMs).fleet.p95Ms).toBeNull()
  for (let ticks = 0; ticks < 4; ticks++) driver.tick({ silent: [1] })
  expect(viewOf(driver.fleet, driver.nowMs).workers[0]).toMatchObject({ queue: null, requestsPerSecond: null })
})

test('while nobody is ready a spare steps in, though a successor is booting', () => {
  const driver = running(1, { workers: { spares: 1 }, health: { path: '/health' } })
  driver.tick().bootAll()
  for (let probes = 0; probes < 3; probes++) driver.send({ kind: 'probed', workerId: 1, healthy: false, detail: '503' })
  expect(driver.workers('booting').map((worker) => worker.replaces)).toEqual([1])
  driver.send({ kind: 'drainRequested', requestId: 1, workerId: 1 })
  expect(driver.commandsOf('promote')).toEqual([{ kind: 'promote', workerId: 2 }])
  expect(driver.ids('ready')).toEqual([2])
})
