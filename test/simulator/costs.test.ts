import { expect, test } from 'vitest'
import { isOverBudget, monthlyCostUsd } from '../../packages/supervisor/src/policy/cost.ts'
import { resolveOptions } from '../../packages/supervisor/src/config/resolve.ts'
import type { Compared } from '../../packages/supervisor/src/simulator/compare.ts'
import { readScenario } from '../../packages/supervisor/src/simulator/read-scenario.ts'
import { renderReport } from '../../packages/supervisor/src/simulator/report.ts'
import { type Outcome, simulate } from '../../packages/supervisor/src/simulator/simulate.ts'
import { fleetSettings } from '../fleet/driver.ts'

const capacity = { cpus: 8, memoryBytes: 8e9, source: 'host' as const }
const { cost: listed } = resolveOptions({ entry: './app.js' }, { baseFolder: '/', environment: {}, capacity, isTerminal: false })

/** A day from midnight on, of which one replica carries the load at any hour. */
const day = {
  durationS: 86_400,
  tickMs: 5000,
  startsAt: '2026-01-05T00:00:00Z',
  load: [{ atS: 0, requestsPerSecond: 5 }],
  worker: { bootMs: 100 },
  replicas: { min: 1, max: 4, bootMs: 0, schedule: [{ cron: '0 8 * * *', for: '12h', min: 3 }] },
}

const planOf = (fields: object) => readScenario(JSON.stringify({ ...day, ...fields }), 's.json')
function outcomeOf(fields: object): Outcome {
  const plan = planOf(fields)
  return simulate(plan, { ...fleetSettings(), tickMs: plan.tickMs }, listed)
}
const scheduled = outcomeOf({})

function pageOf(fields: object, outcome: Outcome, budgetMonth: number | null, others: readonly Compared[] = []): string {
  const prices = { ...listed, budgetMonth }
  return renderReport({ title: 'costs', plan: planOf(fields), settings: fleetSettings(), prices, outcome, others })
}

test('the price list: 20 USD for each replica, 10 for a database, 10 for Redis', () => {
  expect(listed).toEqual({ perReplicaMonth: 20, fixedMonth: 20, budgetMonth: null })
  expect([1, 2, 10].map((replicas) => monthlyCostUsd(replicas, listed))).toEqual([40, 60, 220])
})

test('more than one and a half budgets is too much, exactly as much is not', () => {
  expect([30, 30.01].map((cost) => isOverBudget(cost, { ...listed, budgetMonth: 20 }))).toEqual([false, true])
  expect(isOverBudget(1e6, listed)).toBe(false)
})

test('off-hours: three replicas for twelve hours of the day and one for the others cost 60 USD a month, 20 less than three all day', () => {
  const { summary, timeline } = scheduled
  const replicasAt = (hour: number): number | undefined => timeline.at(hour * 720 - 1)?.replicas
  expect([7, 9, 19, 21].map(replicasAt)).toEqual([1, 3, 3, 1])
  // 12 h of 3 and 12 h of 1 are 48 replica-hours, 2 in the mean: 2 × 20 + 10 + 10 USD. Of 3 all day it were 3 × 20 + 20.
  expect(Math.abs(summary.replicaHours - 48)).toBeLessThan(0.1)
  expect(summary.costUsdPerMonth).toBeCloseTo(60, 0)
  expect(summary.savedUsdPerMonth).toBeCloseTo(20, 0)
  expect(summary.costUsdPerMonth + summary.savedUsdPerMonth).toBeCloseTo(80, 1)
  // A day of a month of 730 hours.
  expect(summary.costUsd).toBeCloseTo((summary.costUsdPerMonth * 24) / 730, 2)
  expect([summary.violations, summary.cut]).toEqual([[], 0])
})

test('without a schedule nothing is saved, and the floor is paid for around the clock', () => {
  const { summary } = outcomeOf({ durationS: 600, replicas: { min: 3, max: 4, bootMs: 0 } })
  expect(summary.costUsdPerMonth).toBe(80)
  expect([summary.savedUsdPerMonth, summary.savedReplicaHours]).toEqual([0, 0])
})

test('a ceiling for the night holds against what is said to be needed', () => {
  const busy = { durationS: 1200, tickMs: 1000, load: [{ atS: 0, requestsPerSecond: 700 }], host: { cpus: 2 } }
  const most = (schedule: object[]): number => {
    const plan = planOf({ ...busy, replicas: { min: 1, max: 4, bootMs: 1000, schedule } })
    return simulate(plan, fleetSettings({ workers: { max: 2 }, capacity: { cpus: 2 } }), listed).summary.maxReplicas
  }
  expect(most([])).toBeGreaterThan(1)
  expect(most([{ cron: '0 0 * * *', for: '6h', max: 1 }])).toBe(1)
})

test('the page tells what a month costs item by item, what off-hours save, and how much of the budget it is', () => {
  const page = pageOf({}, scheduled, 80)
  const costs = /<table id="costs">[^]*?<\/table>/.exec(page)?.[0] ?? ''
  const { costUsdPerMonth, savedUsdPerMonth } = scheduled.summary
  expect(costs).toMatch(/>[\d.]+ replicas in the mean, 20 USD each<\/th><td>[\d.]+ USD</)
  expect(costs).toContain('>database</th><td>10 USD<')
  expect(costs).toContain('>Redis</th><td>10 USD<')
  expect(costs).toContain(`>in all</th><td>${costUsdPerMonth} USD<`)
  expect(costs).toContain(`around the clock</th><td>${savedUsdPerMonth} USD<`)
  expect(costs).toContain('>of a budget of 80 USD</th><td>75 %<')
  expect(page).toContain('<strong>75 %</strong>of the budget')
  expect(page).not.toContain('role="alert"')
  expect(pageOf({}, scheduled, 30)).toContain('more than 150 % of the budget of 30 USD.')
})

test('where there is neither a schedule nor a budget nothing is said of them', () => {
  const fields = { durationS: 60, tickMs: 1000, replicas: undefined }
  const page = pageOf(fields, outcomeOf(fields), null)
  expect(page).toContain('>1 replica, 20 USD each</th><td>20 USD<')
  expect(page).not.toContain('off-hours')
  expect(page).not.toContain('budget')
})

test('the page tells what the supervisor would have warned of, at most twenty sentences', () => {
  const warnings = Array.from({ length: 22 }, (_, index) => `needs replicas: ${index} <soon>`)
  const page = pageOf({}, { ...scheduled, warnings }, null)
  expect(page).toContain('<p role="status">needs replicas: 19 &lt;soon&gt;</p>')
  expect(page).not.toContain('needs replicas: 20')
  expect(page).toContain('… and 2 more warnings')
})

test('policies side by side are told with what a month costs', () => {
  const dear = outcomeOf({ durationS: 600, replicas: { min: 3, max: 4, bootMs: 0 } })
  const page = pageOf({}, scheduled, null, [{ name: 'always three', source: 'three.json', outcome: dear }])
  const [titles = '', own = '', other = ''] = (/<table id="comparison">([^]*?)<\/table>/.exec(page)?.[1] ?? '').split('\n')
  const column = titles.split('<th>').findIndex((title) => title.startsWith('USD a month'))
  const cellOf = (row: string): string | undefined => row.split('<td>')[column - 1]
  expect(cellOf(own)).toBe(`${scheduled.summary.costUsdPerMonth}</td>`)
  expect(cellOf(other)).toBe('80</td>')
})

test('a schedule of replicas that makes no sense is told in one sentence', () => {
  const read = (entry: object) => () => planOf({ replicas: { ...day.replicas, schedule: [entry] } })
  expect(read({ cron: 'soon', for: '1h', min: 2 })).toThrow('s.json, line 1: replicas.schedule[0].cron "soon" is not allowed')
  expect(read({ cron: '0 8 * * *', min: 2 })).toThrow('until (a cron expression) or for (a duration)')
})
