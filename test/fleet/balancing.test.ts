import { expect, test } from 'vitest'
import { Driver, MB, fleetSettings, reportOf } from './driver.ts'

test('a spare that is promoted gets its share of the kept connections in the same step', () => {
  const driver = new Driver(fleetSettings({ workers: { spares: 1 } })).send({ kind: 'started' }).bootAll().tick().bootAll().tick()
  const [worker] = driver.workers('ready')
  const [spare] = driver.workers('spare')
  const tick = (): void => {
    const busy = reportOf({ eventLoopUtilization: 1, connections: 64 })
    const samples = [
      { workerId: worker?.id as number, cpu: 1, memoryBytes: 80 * MB, report: busy },
      { workerId: spare?.id as number, cpu: 0, memoryBytes: 80 * MB, report: reportOf() },
    ]
    driver.send({ kind: 'sampled', samples, usage: { cpus: 1, memoryBytes: 500 * MB }, wallMs: driver.nowMs }, 1000)
  }
  let before = 0
  while (driver.commandsOf('promote').length === 0 && driver.nowMs < 1_020_000) {
    before = driver.commands.length
    tick()
  }
  expect(driver.commands.slice(before)).toContainEqual({ kind: 'promote', workerId: spare?.id })
  expect(driver.commands.slice(before)).toContainEqual({ kind: 'shed', workerId: worker?.id, connections: 32, lastingMs: null })
})
