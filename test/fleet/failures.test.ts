import { expect, test } from 'vitest'
import { step, wakeAtMs } from '../../packages/supervisor/src/fleet/step.ts'
import { viewOf } from '../../packages/supervisor/src/fleet/view.ts'
import { Driver, MB, fleetSettings, running } from './driver.ts'

/** Lets `count` workers fail as soon as they are forked, waiting out each back-off. */
function crash(driver: Driver, count: number, lastStderrLines: readonly string[] = []): void {
  for (let crashes = 0; crashes < count && driver.fleet.phase !== 'draining' && driver.fleet.phase !== 'stopped'; crashes++) {
    if (driver.workers('booting').length === 0) driver.send({ kind: 'woken' }, (wakeAtMs(driver.fleet) ?? driver.nowMs) - driver.nowMs)
    const [worker] = driver.workers('booting')
    if (!worker) throw new Error('nothing boots')
    driver.exit(worker.id, { lastStderrLines })
  }
}

test('a crashed worker is forked again in its slot after a back-off that doubles up to its limit', () => {
  const driver = running(2, { restart: { intensity: 50, windowMs: 600_000 } })
  const delays: number[] = []
  for (let crashes = 0; crashes < 10; crashes++) {
    const [victim] = driver.ids('ready').slice(-1)
    driver.exit(victim as number, { code: 1 })
    expect(driver.workers('booting')).toEqual([])
    const wakeMs = wakeAtMs(driver.fleet) as number
    delays.push(wakeMs - driver.nowMs)
    driver.send({ kind: 'woken' }, wakeMs - driver.nowMs - 1)
    expect(driver.workers('booting')).toEqual([])
    driver.send({ kind: 'woken' }, 1)
    expect(driver.workers('booting').map((worker) => worker.slot)).toEqual([1])
    driver.bootAll()
  }
  expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 15_000, 15_000])
})

test('two fleets whose workers fail together do not restart them in step, and the same fleet does so again', () => {
  const delaysOf = (chance: number): number[] => {
    const driver = new Driver(fleetSettings({ restart: { intensity: 100 } }), chance).send({ kind: 'started' })
    for (let crashes = 0; crashes < 12; crashes++) crash(driver, 1)
    return driver.notesOf('fleet:restarting').map(({ inMs }) => inMs)
  }
  const [one, other] = [delaysOf(0.1), delaysOf(0.6)]
  expect(one).toHaveLength(12)
  expect(one.filter((delayMs, index) => delayMs === other[index])).toEqual([])
  expect(delaysOf(0.1)).toEqual(one)
  expect(Math.max(...one, ...other)).toBeLessThanOrEqual(15_000)
})

test('the back-off of one slot delays no growth in the others', () => {
  const driver = running(2, { restart: { backoffMs: 10_000 } })
  driver.exit(driver.ids('ready')[0] as number)
  driver.send({ kind: 'scaleRequested', requestId: 1, workers: 4 })
  expect(driver.workers('booting').map((worker) => worker.slot)).toEqual([2, 3])
  driver.bootAll()
  expect(driver.workers('ready').length).toBe(3)
  driver.send({ kind: 'woken' }, 10_000)
  expect(driver.workers('booting').map((worker) => worker.slot)).toEqual([0])
})

test('beyond the restart intensity the fleet drains and exits 1 with the cause and the last lines, at any age', () => {
  const driver = running(1)
  for (let ticks = 0; ticks < 600; ticks++) driver.tick()
  driver.exit(driver.ids('ready')[0] as number)
  crash(driver, 5, ['TypeError: x is not a function', '    at boot (app.js:1:1)'])
  const [exit] = driver.commandsOf('exit')
  expect(exit).toMatchObject({ code: 1 })
  expect(exit?.message).toContain('failed 6 times within 60 s, more than the restart intensity of 5 allows')
  expect(exit?.message).toContain('worker 6 exited with code 1 before it was ready')
  expect(exit?.message).toContain('  TypeError: x is not a function\n      at boot')
  expect(driver.fleet.phase).toBe('stopped')
})

test('failures that are further apart than the window never add up', () => {
  const driver = running(1)
  for (let crashes = 0; crashes < 20; crashes++) {
    driver.exit(driver.ids('ready')[0] as number)
    driver.send({ kind: 'woken' }, 15_000).bootAll()
  }
  expect(driver.fleet.phase).toBe('running')
  expect(driver.fleet.restarts).toBe(20)
})

test('a fleet that never starts ends with the cause, however slowly it fails', () => {
  const driver = new Driver(fleetSettings({ workers: { min: 2 }, restart: { backoffMs: 30_000, backoffMaxMs: 30_000 } })).send({ kind: 'started' })
  driver.ready(driver.ids('booting')[0] as number)
  crash(driver, 6, ['no database'])
  expect(driver.notesOf('fleet:stopping')).toHaveLength(1)
  driver.leaveAll()
  const [exit] = driver.commandsOf('exit')
  expect(exit).toMatchObject({ code: 1 })
  expect(exit?.message).toMatch(/^The app did not start: it failed 6 times; last, worker \d+ exited with code 1 before it was ready\./)
  expect(exit?.message).toContain('no database')
})

test('the first boot that takes its whole time ends the start at once and names the limit', () => {
  const driver = new Driver().send({ kind: 'started' }).send({ kind: 'forked', workerId: 1, pid: 7 })
  expect(wakeAtMs(driver.fleet)).toBe(driver.nowMs + 30_000)
  driver.send({ kind: 'woken' }, 30_000)
  expect(driver.commandsOf('kill')).toEqual([{ kind: 'kill', workerId: 1 }])
  driver.exit(1, { code: null, signal: 'SIGKILL', lastStderrLines: ['waiting for the queue'] })
  expect(driver.commandsOf('exit')).toEqual([
    {
      kind: 'exit',
      code: 1,
      message: 'The app did not start: worker 1 was not ready within 30 s (workers.bootTimeout).\nIts last lines on stderr:\n  waiting for the queue',
    },
  ])
})

test('a boot that hangs later is killed, counted and tried again', () => {
  const driver = running(1)
  driver.send({ kind: 'scaleRequested', requestId: 1, workers: 2 })
  driver.send({ kind: 'woken' }, 30_000)
  const [hung] = driver.ids('killing')
  driver.exit(hung as number, { code: null, signal: 'SIGKILL' })
  expect(driver.fleet).toMatchObject({ phase: 'running', restarts: 1 })
  driver.send({ kind: 'woken' }, 100)
  expect(driver.workers('booting').length).toBe(1)
})

test('exit 0 before ready is a failure; exit 0 of a ready worker that nobody asked to go is one too', () => {
  const driver = running(1)
  driver.exit(1, { code: 0 }).send({ kind: 'woken' }, 100).exit(2, { code: 0 })
  expect(driver.fleet.restarts).toBe(2)
  expect(driver.notesOf('worker:exited').map((note) => note.expected)).toEqual([false, false])
})

test('spares that fail never end those that serve: they back off, are given up for a while, and tried again', () => {
  const driver = running(1, { workers: { spares: 1 } })
  driver.tick()
  for (let crashes = 0; crashes < 6; crashes++) {
    const [spare] = driver.workers('booting')
    driver.exit(spare?.id as number)
    expect(driver.workers('booting')).toEqual([])
    if (crashes < 5) driver.send({ kind: 'woken' }, (wakeAtMs(driver.fleet) as number) - driver.nowMs)
  }
  expect(driver.fleet.phase).toBe('running')
  expect(driver.notesOf('fleet:warning')[0]?.message).toContain('Spare workers failed 6 times')
  expect((wakeAtMs(driver.fleet) as number) - driver.nowMs).toBe(60_000)
  driver.send({ kind: 'woken' }, 60_000)
  expect(driver.workers('booting').length).toBe(1)
})

test('forks that the machine refuses never end a fleet that serves; without one that serves they do', () => {
  const driver = running(1, { workers: { max: 4 } })
  driver.send({ kind: 'scaleRequested', requestId: 1, workers: 2 })
  const refuse = (): void => {
    const [booting] = driver.workers('booting')
    driver.send({ kind: 'forkFailed', workerId: booting?.id as number, message: 'spawn EAGAIN' })
  }
  refuse()
  for (let tries = 0; tries < 7; tries++) {
    driver.send({ kind: 'woken' }, (wakeAtMs(driver.fleet) as number) - driver.nowMs)
    refuse()
  }
  expect(driver.fleet.phase).toBe('running')
  expect(driver.notesOf('fleet:warning').at(-1)?.message).toContain('could not be forked: spawn EAGAIN')
  driver.exit(1)
  expect(driver.fleet.phase).toBe('stopped')
  expect(driver.commandsOf('exit')[0]?.code).toBe(1)
})

test('a worker that dies while it is draining was asked to go', () => {
  const driver = running(2)
  driver.send({ kind: 'drainRequested', requestId: 1, workerId: 1 })
  driver.exit(1, { code: 1 })
  expect(driver.fleet.restarts).toBe(0)
  expect(driver.fleet.lastExit).toBeNull()
})

test('a stuck worker loses its place at once, is diagnosed, then killed, and counts as a failure', () => {
  const driver = running(2)
  for (let ticks = 0; ticks < 10; ticks++) driver.tick({ silent: [1] })
  expect(driver.commandsOf('diagnose')).toEqual([])
  driver.tick({ silent: [1] })
  expect(driver.commandsOf('diagnose')).toEqual([{ kind: 'diagnose', workerId: 1 }])
  expect(viewOf(driver.fleet, driver.nowMs).fleet.ready).toBe(1)
  expect(driver.workers('booting').map((worker) => worker.slot)).toEqual([0])
  driver.send({ kind: 'diagnosed', workerId: 1, reportPath: '/r.json' }, 500)
  expect(driver.commandsOf('kill')).toEqual([{ kind: 'kill', workerId: 1 }])
  driver.exit(1, { code: null, signal: 'SIGKILL' })
  expect(driver.fleet.restarts).toBe(1)
  expect(driver.notesOf('worker:stuck')).toEqual([{ kind: 'worker:stuck', workerId: 1, silentMs: 11_000 }])
})

test('a worker that has never said a word is silent since it was ready, and not for the whole tick in which it became it', () => {
  const driver = new Driver(fleetSettings()).send({ kind: 'started' }).tick().bootAll(900)
  const silent = driver.ids('ready')
  driver.tick({ silent }, 100)
  for (let tick = 0; tick < 9; tick++) driver.tick({ silent })
  expect(driver.notesOf('worker:stuck')).toEqual([])
  expect(driver.tick({ silent }).notesOf('worker:stuck')).toEqual([{ kind: 'worker:stuck', workerId: silent[0], silentMs: 10_100 }])
})

test('a stuck worker that comes back before its diagnosis is done drains instead of being killed', () => {
  const driver = running(2)
  for (let ticks = 0; ticks < 11; ticks++) driver.tick({ silent: [1] })
  driver.tick().send({ kind: 'diagnosed', workerId: 1, reportPath: null })
  expect(driver.ids('draining')).toEqual([1])
  expect(driver.commandsOf('kill')).toEqual([])
})

test('a stuck worker whose diagnosis never comes is killed all the same', () => {
  const driver = running(2)
  for (let ticks = 0; ticks < 25; ticks++) driver.tick({ silent: [1] })
  expect(driver.ids('killing')).toEqual([1])
})

test('a stuck spare is replaced and never promoted', () => {
  const driver = running(1, { workers: { spares: 1 } })
  driver.tick().bootAll()
  const [spare] = driver.ids('spare')
  for (let ticks = 0; ticks < 11; ticks++) driver.tick({ silent: [spare as number] })
  driver.send({ kind: 'scaleRequested', requestId: 1, workers: 2 })
  expect(driver.commandsOf('promote')).toEqual([{ kind: 'promote', workerId: (spare as number) + 1 }])
})

test('a primary that stood still itself takes nobody for stuck', () => {
  const driver = running(2)
  driver.tick().tick({ silent: [1, 2] }, 600_000)
  expect(driver.commandsOf('diagnose')).toEqual([])
  driver.tick().tick()
  expect(driver.commandsOf('diagnose')).toEqual([])
})

test('a worker over its memory limit gets a successor first, then drains; one at a time', () => {
  const driver = running(3)
  const over = { memoryOf: { 1: 600 * MB, 2: 600 * MB } }
  driver.tick(over).tick(over)
  expect(driver.workers('booting')).toEqual([])
  driver.tick(over)
  expect(driver.workers('booting').map(({ slot, replaces }) => ({ slot, replaces }))).toEqual([{ slot: 0, replaces: 1 }])
  driver.tick(over).tick(over)
  expect(driver.workers('booting').length).toBe(1)
  driver.bootAll()
  expect(driver.ids('draining')).toEqual([1])
  expect(driver.ids('ready')).toEqual([2, 3, 4])
})

test('an app that always needs more than its limit is recycled at a bounded pace', () => {
  const driver = running(2, { scaling: { up: {} } })
  for (let ticks = 0; ticks < 300; ticks++)
    driver
      .tick({ memoryBytes: 600 * MB })
      .bootAll()
      .leaveAll()
  expect(driver.notesOf('worker:memory').length).toBeGreaterThan(1)
  expect(driver.notesOf('worker:memory').length).toBeLessThanOrEqual(12)
})

test('a successor that fails leaves the old worker in place, and is tried again after its back-off', () => {
  const driver = running(1, { scaling: { up: {} } })
  for (let ticks = 0; ticks < 3; ticks++) driver.tick({ memoryBytes: 600 * MB })
  driver.exit(driver.ids('booting')[0] as number)
  expect(driver.ids('ready')).toEqual([1])
  for (let ticks = 0; ticks < 70; ticks++) driver.tick({ memoryBytes: 600 * MB })
  expect(driver.workers('booting').map((worker) => worker.replaces)).toEqual([1])
})

test('an ill worker is replaced after its threshold; when all are ill it is not the workers', () => {
  const driver = running(2, { health: { path: '/health', intervalMs: 1000 } })
  const probed = (workerId: number, healthy: boolean): Driver => driver.send({ kind: 'probed', workerId, healthy, detail: '503' })
  driver.tick()
  expect(driver.commandsOf('probe').map((command) => command.workerId)).toEqual([1, 2])
  for (let round = 0; round < 5; round++) for (const workerId of [1, 2]) probed(workerId, false)
  expect(driver.workers('booting')).toEqual([])
  probed(2, true)
  probed(1, false)
  expect(driver.workers('booting').map((worker) => worker.replaces)).toEqual([1])
  expect(driver.notesOf('worker:unhealthy').map((note) => note.workerId)).toEqual([1, 2])
})

test('an event about a worker that is not there, or cannot be so, changes nothing', () => {
  const driver = running(1)
  const before = driver.fleet
  driver
    .exit(99)
    .send({ kind: 'readied', workerId: 99 })
    .send({ kind: 'diagnosed', workerId: 1, reportPath: null })
    .send({ kind: 'forked', workerId: 99, pid: 1 })
  expect({ ...driver.fleet, nowMs: 0 }).toEqual({ ...before, nowMs: 0 })
  const refused = step(driver.fleet, { kind: 'forkFailed', workerId: 1, message: 'late', nowMs: driver.nowMs })
  expect(refused.fleet.workers).toEqual(driver.fleet.workers)
  expect(refused.notes.map((note) => note.kind)).toEqual(['supervisor:bug'])
})
