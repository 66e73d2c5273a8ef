import { expect, test } from 'vitest'
import { readScenario } from '../../packages/supervisor/src/simulator/read-scenario.ts'
import { type Detail, Moments } from '../../packages/supervisor/src/simulator/moments.ts'
import { simulate } from '../../packages/supervisor/src/simulator/simulate.ts'
import { fleetSettings } from '../fleet/driver.ts'

const prices = { perReplicaMonth: 20, fixedMonth: 20, budgetMonth: null }

const momentAt = (atS: number): Detail => ({
  atS,
  ready: 2,
  replicas: 1,
  target: 3,
  cpu: atS % 2 === 0 ? null : 0.125,
  queue: atS / 7,
  p95Ms: null,
  requestsPerSecond: 20.5,
  booting: 1,
  spare: 0,
  draining: 0,
  memory: 0.4,
  eventLoopUtilization: null,
  eventLoopDelayMs: 3.5,
})

test('moments come out as they went in, unknown numbers too, however many there are', () => {
  const moments = new Moments()
  const put = Array.from({ length: 10_000 }, (_, index) => momentAt(index))
  for (const moment of put) moments.add(moment)
  expect(moments).toHaveLength(put.length)
  expect([...moments]).toEqual(put)
  expect(moments.map(({ queue }) => queue)).toEqual(put.map(({ queue }) => queue))
  expect(moments.at(-1)).toEqual(put.at(-1))
  expect([moments.at(put.length), moments.at(-put.length - 1)]).toEqual([undefined, undefined])
})

test('a run of which nobody wants the moments keeps none, and comes to the same', () => {
  const load = [{ atS: 0, requestsPerSecond: 50 }]
  const replicas = { min: 2, max: 2 }
  for (const scenario of [
    { durationS: 60, load },
    { durationS: 60, load, replicas },
  ]) {
    const plan = readScenario(JSON.stringify(scenario), 'short.json')
    const [kept, left] = [true, false].map((keepsMoments) => simulate(plan, fleetSettings(), prices, { keepsMoments }))
    expect(kept?.timeline).toHaveLength(60)
    expect(left?.timeline).toHaveLength(0)
    expect(left?.summary).toEqual(kept?.summary)
  }
})
