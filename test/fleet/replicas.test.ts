import { expect, test } from 'vitest'
import type { Peer } from '../../packages/supervisor/src/policy/replicas.ts'
import { viewOf } from '../../packages/supervisor/src/fleet/view.ts'
import { renderDecision } from '../../packages/supervisor/src/operator/render-decision.ts'
import { renderStatus } from '../../packages/supervisor/src/operator/render-status.ts'
import { planBudget } from '../../packages/supervisor/src/policy/budget-plan.ts'
import { type Driver, reportOf, running } from './driver.ts'

const BUSY = { cpu: 1, report: reportOf({ eventLoopUtilization: 0.9, queue: 150 }) }
const peer = (id: string, wanted: number | null, most = 2, needs: number | null = null): Peer => ({
  id,
  name: id,
  address: null,
  totals: { wanted, most, needs },
})

function busyFor(driver: Driver, seconds: number, usedCpus = 1): Driver {
  for (let tick = 0; tick < seconds; tick++) driver.tick({ ...BUSY, usedCpus })
  return driver
}

function busyWith(driver: Driver, others: readonly Peer[], seconds: number): Driver {
  for (let tick = 0; tick < seconds; tick++) driver.send({ kind: 'peersHeard', ownId: 'b', others }).tick(BUSY)
  return driver
}

test('a replica whose workers are at their most says once that another is needed, with what it costs: note, status and decision agree', () => {
  const driver = busyFor(running(2, { workers: { max: 2 }, prices: { budgetMonth: 30 } }), 200)
  const need = {
    have: 1,
    needs: 2,
    reason: 'the load calls for 3 workers, and a replica carries 2 workers',
    costUsdPerMonth: 60,
    isOverBudget: true,
  }
  expect(driver.notesOf('fleet:replicas')).toEqual([{ kind: 'fleet:replicas', ...need }])
  expect(driver.fleet.standing?.replicas).toEqual(need)
  const view = viewOf(driver.fleet, driver.nowMs)
  expect(view.replicas).toEqual(need)
  const sentence =
    'needs replicas: 2 (1 now): the load calls for 3 workers, and a replica carries 2 workers; 60 USD a month, more than 150 % of the budget (cost.budgetMonth)'
  const paint = (_: unknown, text: string): string => text
  const status = { version: 1, pid: 1, ...view, replica: { id: 'here', ...view.replica } } as const
  expect(renderStatus(status, driver.nowMs, paint)).toContain(sentence)
  expect(driver.fleet.standing && renderDecision(driver.fleet.standing, driver.nowMs, paint).join('\n')).toContain(sentence)
})

test('so does one whose container has no CPU left, and one whose connections feed no more workers; one with room does not', () => {
  const exhausted = busyFor(running(2, { capacity: { cpus: 4 } }), 100, 4)
  expect(exhausted.notesOf('fleet:replicas')).toMatchObject([{ needs: 2 }])
  const database = planBudget({ budget: 15, reserve: 3, minPerWorker: 2, replicas: 2, minWorkers: 1 })
  const starved = busyFor(running(2, { workers: { min: 2 }, database }), 100)
  expect(starved.notesOf('fleet:replicas')).toMatchObject([{ needs: 2 }])
  expect(busyFor(running(2), 100).notesOf('fleet:replicas')).toEqual([])
})

test('with several replicas the totals count, and only the one with the lowest id tells', () => {
  const settings = { workers: { max: 2 } }
  expect(busyWith(running(2, settings), [peer('c', 1, 6)], 200).notesOf('fleet:replicas')).toEqual([])
  expect(busyWith(running(2, settings), [peer('c', 4)], 200).notesOf('fleet:replicas')).toMatchObject([{ have: 2, needs: 4 }])
  const follower = busyWith(running(2, settings), [peer('a', 4, 2, 3), peer('c', 4, 2, 9)], 200)
  expect(follower.notesOf('fleet:replicas')).toEqual([])
  expect(follower.fleet.standing?.replicas).toBe(null)
  expect(busyWith(running(2, settings), [peer('a', 4, 2, 7)], 1).fleet.standing?.replicas).toMatchObject({
    have: 2,
    needs: 7,
    reason: 'so says replica a',
  })
})

test('when the elected one is gone, the next one goes on with its word', () => {
  const driver = busyWith(running(2, { workers: { max: 2 } }), [peer('a', 4, 2, 5)], 5)
  busyWith(driver, [peer('c', 4)], 300)
  expect(driver.notesOf('fleet:replicas')).toEqual([])
  expect(driver.fleet.replicas).toMatchObject({ have: 2, needs: 5 })
})

test('without Redis what was said stays, and nothing new is', () => {
  const driver = busyWith(running(2, { workers: { max: 2 } }), [peer('c', 4)], 200)
  driver.send({ kind: 'peersHeard', ownId: 'b', others: null })
  busyFor(driver, 300)
  expect(driver.notesOf('fleet:replicas')).toHaveLength(1)
  expect(driver.fleet.replicas).toMatchObject({ have: 2, needs: 4 })
})

test('others are told what this one calls for and carries', () => {
  const driver = running(2, { workers: { max: 2 } }).tick({ cpu: 0.35 })
  expect(driver.fleet.totals).toEqual({ wanted: 1, most: 2, needs: 1 })
  for (let tick = 0; tick < 5; tick++) driver.tick({ silent: [1] })
  expect(driver.fleet.totals).toMatchObject({ wanted: null })
})
