import { expect, test } from 'vitest'
import { comparePeers } from '../../packages/supervisor/src/simulator/compare.ts'
import { readScenario } from '../../packages/supervisor/src/simulator/read-scenario.ts'
import { renderReport } from '../../packages/supervisor/src/simulator/report.ts'
import { simulate } from '../../packages/supervisor/src/simulator/simulate.ts'
import { fleetSettings } from '../fleet/driver.ts'

const load = [
  { atS: 0, requestsPerSecond: 20 },
  { atS: 120, requestsPerSecond: 700, step: true },
]
const scenario = { about: 'a <b>rush</b> & "calm"', durationS: 2400, load }
const settings = fleetSettings()

function pageFor(prices: { perReplicaMonth: number; fixedMonth: number; budgetMonth: number | null }): string {
  const plan = readScenario(JSON.stringify(scenario), 's.json')
  const outcome = simulate(plan, settings, prices)
  return renderReport({ title: 'rush', plan, settings, prices, outcome, others: comparePeers(plan, settings, prices) })
}

const cheap = { perReplicaMonth: 20, fixedMonth: 20, budgetMonth: null }
const page = pageFor(cheap)

test('the report needs nothing from elsewhere, and runs no text of the scenario as a page', () => {
  expect(page).not.toMatch(/(?:src|href)="(?!data:)|@import|url\(|https?:\/\//)
  expect(page).not.toContain('<b>rush</b>')
  expect(page).toContain('a &lt;b&gt;rush&lt;/b&gt; &amp; &quot;calm&quot;')
})

test('it shows load, workers by state, every signal with its thresholds, decisions on hover, costs and the comparison', () => {
  for (const title of ['Load, requests per second', 'Workers by state', 'p95 of the answers', 'CPU of a worker', 'Event-loop utilisation']) {
    expect(page).toContain(`<b>${title}</b>`)
  }
  expect(page).toContain('grow above 70 % for 60 s')
  expect(page).toContain('shrink below 30 % for 300 s')
  expect(page).toMatch(/<g class="mark"><title>1 → \d+ workers: surge/)
  expect(page).toMatch(/<strong>[\d.]+ s<\/strong>over the objective/)
  expect(page).toContain('<strong>40 USD</strong>cost of a month')
  for (const name of ['this policy', 'pm2-autoscale', 'watt', 'hpa']) expect(page).toContain(`<th scope="row">${name}</th>`)
  expect(page).toContain('prefers-color-scheme: dark')
})

test('the values under the pointer are there for every curve, as many as there are times', () => {
  const json = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)?.[1] ?? ''
  const { times, texts } = JSON.parse(json) as { times: number[]; texts: string[][][] }
  expect(times.length).toBeGreaterThan(100)
  // A page for people: no more points than it has pixels.
  expect(times.length).toBeLessThanOrEqual(800)
  expect(texts.length).toBe(page.match(/<figure /g)?.length)
  expect(
    texts
      .flat()
      .filter((values) => values.length > 0)
      .every((values) => values.length === times.length),
  ).toBe(true)
})

test('a month that costs more than one and a half budgets is warned of, one that costs less is not', () => {
  expect(pageFor({ ...cheap, budgetMonth: 20 })).toContain('A month costs 40 USD, more than 150 % of the budget of 20 USD.')
  expect(pageFor({ ...cheap, budgetMonth: 30 })).not.toContain('role="alert"')
})

test('the same plan gives the same page', () => {
  expect(pageFor(cheap)).toBe(page)
})
