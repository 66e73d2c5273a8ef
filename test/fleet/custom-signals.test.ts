import { expect, test } from 'vitest'
import { viewOf } from '../../packages/supervisor/src/fleet/view.ts'
import { type Driver, reportOf, running } from './driver.ts'

/** Scaled by nothing but the app's own signal. */
const BY_JOBS = {
  scaling: { up: { jobs: { threshold: 50, forMs: 5000 } }, down: { jobs: { threshold: 10, forMs: 5000 } }, surge: null, cooldownDownMs: 0 },
  workers: { min: 1 },
}
const CALM = { threshold: 0.3, forMs: 10_000 }

const report = (jobs: number | null) => reportOf({ signals: jobs === null ? {} : { jobs } })

function ticks(driver: Driver, count: number, fields: Parameters<Driver['tick']>[0]): Driver {
  for (let tick = 0; tick < count; tick++) driver.tick(fields).leaveAll()
  return driver
}

const warnings = (driver: Driver): string[] => driver.notesOf('fleet:warning').map(({ message }) => message)

test('a signal of the app makes the fleet grow and shrink, by its name, and is in the status', () => {
  const driver = ticks(running(1, BY_JOBS), 5, { report: report(80) }).bootAll()
  expect(driver.fleet.decisions.at(-1)).toMatchObject({ from: 1, to: 2, reason: 'jobs 80 above 50 for 5 s' })
  expect(viewOf(driver.fleet, driver.nowMs)).toMatchObject({
    fleet: { signals: { jobs: 80 } },
    workers: [{ signals: { jobs: 80 } }, { signals: {} }],
  })
  ticks(driver, 5, { report: report(3) })
  expect(driver.fleet.decisions.at(-1)).toMatchObject({ from: 2, to: 1, reason: 'all is quiet: jobs 3 below 10 for 5.1 s' })
  expect(warnings(driver)).toEqual([])
})

test('where one worker does not report it, the others do not shrink the fleet', () => {
  const driver = running(2, { ...BY_JOBS, workers: { min: 2 } })
    .send({ kind: 'scaleRequested', requestId: 1, workers: 3 })
    .bootAll()
  driver.send({ kind: 'scaleRequested', requestId: 2, workers: 'auto' })
  for (let tick = 0; tick < 200; tick++) {
    const samples = driver.fleet.workers.map(({ id }) => ({ workerId: id, cpu: 0, memoryBytes: 1e8, report: report(id === 3 ? null : 1) }))
    driver.send({ kind: 'sampled', wallMs: driver.nowMs, samples, usage: { cpus: 0, memoryBytes: 1e9 } }, 1000)
  }
  expect(driver.fleet.target).toBe(3)
  expect(warnings(driver)).toEqual([])
})

test('what no worker ever reports is told once, after a minute, with what to do; then shrinking goes on without it', () => {
  const scaling = { ...BY_JOBS.scaling, down: { ...BY_JOBS.scaling.down, cpu: CALM } }
  const driver = running(1, { ...BY_JOBS, scaling })
    .send({ kind: 'scaleRequested', requestId: 1, workers: 2 })
    .bootAll()
  driver.send({ kind: 'scaleRequested', requestId: 2, workers: 'auto' })
  ticks(driver, 60, { report: report(null) })
  expect([driver.fleet.target, warnings(driver)]).toEqual([2, []])
  ticks(driver, 60, { report: report(null) })
  expect(warnings(driver)).toEqual([
    'No worker reports the signal "jobs", so scaling.up.jobs and scaling.down.jobs have no say. Call reportSignal(\'jobs\', …) of stationmaster/worker in the app, or take the option out.',
  ])
  expect(driver.fleet.target).toBe(1)
  expect(viewOf(driver.fleet, driver.nowMs).fleet.signals).toEqual({ jobs: null })
})

test('silence of the workers is not silence about the signal: nothing is left out for it', () => {
  const scaling = { ...BY_JOBS.scaling, down: { ...BY_JOBS.scaling.down, cpu: CALM } }
  const driver = running(1, { ...BY_JOBS, scaling, health: { stuckAfterMs: 1e9 } })
  ticks(driver, 1, { report: report(1) })
  ticks(driver, 300, { silent: [1] })
  expect([driver.fleet.unreported, warnings(driver)]).toEqual([[], []])
})

test('a signal that comes at last counts from then on', () => {
  const driver = ticks(running(1, BY_JOBS), 70, { report: report(null) })
  expect(driver.fleet.unreported).toMatchObject([{ name: 'jobs', told: true }])
  ticks(driver, 5, { report: report(80) })
  expect(driver.fleet.unreported).toEqual([])
  expect(driver.fleet.target).toBe(2)
})
