import { expect, test } from 'vitest'
import { Driver, fleetSettings, running } from './driver.ts'

const stop = { kind: 'stopRequested', reason: 'SIGTERM' } as const

test('stop drains all, and exits 0 when the last is gone', () => {
  const driver = running(3).send(stop)
  expect(driver.commandsOf('drain').map((command) => command.timeoutMs)).toEqual([30_000, 30_000, 30_000])
  driver.exit(1, { code: 0 }).exit(2, { code: 0 })
  expect(driver.commandsOf('exit')).toEqual([])
  driver.exit(3, { code: 0 })
  expect(driver.commandsOf('exit')).toEqual([{ kind: 'exit', code: 0, message: null }])
})

test('a drain that does not end is killed at its deadline, which never lies beyond that of the platform', () => {
  const driver = running(1, { drain: { stopDeadlineMs: 2500 } }).send(stop)
  expect(driver.commandsOf('drain')).toEqual([{ kind: 'drain', workerId: 1, timeoutMs: 2500, patient: false }])
  driver.send({ kind: 'woken' }, 2500)
  expect(driver.commandsOf('kill')).toEqual([{ kind: 'kill', workerId: 1 }])
})

test('a repeat within a second is the same request, a later one hurries, a third ends it now', () => {
  const driver = running(1).send(stop).send(stop, 900)
  expect(driver.commandsOf('drain').length).toBe(1)
  driver.send(stop, 200)
  expect(driver.commandsOf('drain').at(-1)).toEqual({ kind: 'drain', workerId: 1, timeoutMs: 2000, patient: false })
  driver.send(stop, 1500)
  expect(driver.ids('killing')).toEqual([1])
})

test('SIGTERM during boot: nothing is forked any more, and what boots has little time', () => {
  const driver = new Driver(fleetSettings({ workers: { min: 3 } })).send({ kind: 'started' }).send(stop, 50)
  expect(driver.commandsOf('drain').map((command) => command.timeoutMs)).toEqual([5000, 5000, 5000])
  driver.send({ kind: 'readied', workerId: 1 }, 10).send({ kind: 'woken' }, 5000)
  expect(driver.ids('killing')).toEqual([1, 2, 3])
  driver.leaveAll()
  expect(driver.commandsOf('fork').length).toBe(3)
  expect(driver.commandsOf('exit')).toEqual([{ kind: 'exit', code: 0, message: null }])
})

test('SIGTERM before anything was forked ends at once', () => {
  const driver = new Driver().send(stop)
  expect(driver.commandsOf('exit')).toEqual([{ kind: 'exit', code: 0, message: null }])
})

test('SIGTERM in the middle of a reload and of a scale answers both requests', () => {
  const driver = running(2).send({ kind: 'reloadRequested', requestId: 1 }).send({ kind: 'scaleRequested', requestId: 2, workers: 4 }).send(stop)
  expect(driver.commandsOf('answer').map(({ requestId, error }) => [requestId, error?.code])).toEqual([
    [1, 'SM_STOPPING'],
    [2, 'SM_STOPPING'],
  ])
  driver.send({ kind: 'scaleRequested', requestId: 3, workers: 1 }).send({ kind: 'reloadRequested', requestId: 4 })
  driver.send({ kind: 'drainRequested', requestId: 5, workerId: 1 })
  expect(
    driver
      .commandsOf('answer')
      .slice(2)
      .every(({ error }) => error?.code === 'SM_STOPPING'),
  ).toBe(true)
})

test('SIGTERM while every worker is in its back-off ends at once', () => {
  const driver = running(1).exit(1).send(stop)
  expect(driver.fleet.phase).toBe('stopped')
})

test('a fatal fault exits 1 with its message; the first SIGTERM after it does not hurry', () => {
  const driver = running(2, { drain: { stopDeadlineMs: 10_000 } })
    .send({ kind: 'fatal', message: 'Port 80 is taken.' })
    .send(stop, 100)
  expect(driver.commandsOf('drain').map((command) => command.timeoutMs)).toEqual([30_000, 30_000, 10_000, 10_000])
  driver.leaveAll()
  expect(driver.commandsOf('exit')).toEqual([{ kind: 'exit', code: 1, message: 'Port 80 is taken.' }])
})

test('crashes while it stops count for nothing, and nothing is said after the end', () => {
  const driver = running(2).send(stop).exit(1, { code: 1 }).exit(2, { code: 1 })
  expect(driver.fleet.restarts).toBe(0)
  const notes = driver.notes.length
  driver.send(stop, 5000).send({ kind: 'fatal', message: 'late' }).tick()
  expect(driver.notes.length).toBe(notes)
  expect(driver.commandsOf('exit').length).toBe(1)
})

test('a drain under way keeps its deadline in a stop that would leave it more time, and loses its patience with quiet connections', () => {
  const driver = running(2).send({ kind: 'drainRequested', requestId: 1, workerId: 1 }).send(stop, 5000)
  expect(driver.commandsOf('drain').filter((command) => command.workerId === 1)).toEqual([
    { kind: 'drain', workerId: 1, timeoutMs: 30_000, patient: true },
    { kind: 'drain', workerId: 1, timeoutMs: 25_000, patient: false },
  ])
  expect(driver.workers('draining')[0]?.life).toMatchObject({ deadlineMs: driver.nowMs + 25_000 })
})

test('a stuck worker that dies after the stop counts for nothing', () => {
  const driver = running(2)
  for (let ticks = 0; ticks < 11; ticks++) driver.tick({ silent: [1] })
  driver.send({ kind: 'diagnosed', workerId: 1, reportPath: null }).send(stop)
  driver.exit(1, { code: null, signal: 'SIGKILL' })
  expect(driver.fleet.restarts).toBe(0)
  expect(driver.notesOf('fleet:restarting')).toEqual([])
})

test('what SIGKILL does not end is killed again, ever more seldom, and people are told', () => {
  const driver = running(2, { drain: { timeoutMs: 1000 } })
  driver.send({ kind: 'drainRequested', requestId: 1, workerId: 1 })
  driver.bootAll().send({ kind: 'woken' }, 1000)
  expect(driver.ids('killing')).toEqual([1])
  for (const afterMs of [999, 1, 1999, 1, 3999, 1, 7999]) driver.send({ kind: 'woken' }, afterMs)
  expect(driver.commandsOf('kill')).toHaveLength(4)
  expect(driver.notesOf('fleet:warning').map(({ message }) => message)).toEqual([expect.stringContaining('was killed 7 s ago and is still there')])
  driver.exit(1, { code: null, signal: 'SIGKILL' })
  expect(driver.fleet.phase).toBe('running')
})

test('a stop does not wait for ever for what SIGKILL does not end: it is left behind, with code 1', () => {
  const driver = running(2, { drain: { timeoutMs: 1000 } })
    .send(stop)
    .exit(2, { code: 0 })
  driver.send({ kind: 'woken' }, 1000)
  for (const afterMs of [1000, 2000, 1999]) driver.send({ kind: 'woken' }, afterMs)
  expect(driver.commandsOf('exit')).toEqual([])
  driver.send({ kind: 'woken' }, 1)
  expect(driver.commandsOf('exit')).toEqual([{ kind: 'exit', code: 1, message: expect.stringContaining('The supervisor ends without it.') }])
  // Should it end after all, nothing is left to do.
  driver.exit(1, { code: null, signal: 'SIGKILL' })
})
