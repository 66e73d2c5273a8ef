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

test('it shows load, workers by state, every signal, decisions on hover, costs and the comparison', () => {
  for (const title of ['Load, requests per second', 'Workers by state', ...Object.values(SIGNALS).map(([title]) => title)]) {
    expect(page).toContain(`<figcaption><b>${title}</b>`)
  }
  expect(page).toMatch(/<g class="mark"><title>1 → \d+ workers: surge/)
  expect(page).toMatch(/<strong>[\d.]+ s<\/strong>over the objective/)
  expect(page).toContain('<strong>40 USD</strong>cost of a month')
  for (const name of ['this policy', 'pm2-autoscale', 'watt', 'hpa']) expect(page).toContain(`<th scope="row">${name}</th>`)
  expect(page).toContain('prefers-color-scheme: dark')
})

/** The chart of each signal, and how its thresholds read there. */
const SIGNALS: Readonly<Record<string, readonly [title: string, ...keys: string[]]>> = {
  cpu: ['CPU of a worker', 'grow above 70 % for 60 s', 'shrink below 30 % for 300 s'],
  memory: ['Memory of a worker over its limit', 'grow above 80 % for 60 s', 'shrink below 40 % for 300 s'],
  queue: ['Requests in flight per worker', 'surge from 300 for 2 s', 'grow above 100 for 30 s', 'shrink below 10 for 300 s'],
  p95: ['p95 of the answers', 'grow above 2000 ms for 120 s', 'shrink below 500 ms for 300 s'],
  eventLoopDelay: ['Event-loop delay, p99 of a worker', 'grow above 100 ms for 30 s', 'shrink below 20 ms for 300 s'],
  eventLoopUtilization: ['Event-loop utilisation', 'surge from 95 % for 2 s', 'grow above 80 % for 30 s', 'shrink below 30 % for 300 s'],
}

/** What the page draws under a title. */
const figureOf = (html: string, title: string): string => html.split('<figure ').find((figure) => figure.includes(`<b>${title}</b>`)) ?? ''
const dashedIn = (figure: string): number => figure.match(/class="curve dashed"/g)?.length ?? 0

test('every signal of the policy in force is drawn with all of its thresholds, those of the surge lane too', () => {
  const { up, down } = settings.scaling
  expect(Object.keys(SIGNALS).toSorted()).toEqual([...new Set([...Object.keys(up), ...Object.keys(down)])].toSorted())
  for (const [title, ...keys] of Object.values(SIGNALS)) {
    const figure = figureOf(page, title)
    for (const key of keys) expect(figure).toContain(`${key} <output>`)
    // The objective is one more beside the thresholds of p95.
    expect([title, dashedIn(figure)]).toEqual([title, keys.length + (title === SIGNALS['p95']?.[0] ? 1 : 0)])
    expect([title, figure.match(/class="curve" /g)?.length ?? 0]).not.toEqual([title, 0])
  }
})

test('a signal of the policy that no virtual worker tells has its chart too, with its thresholds, and says that nothing was measured', () => {
  const up = { queueTime: { threshold: 200, forMs: 30_000 }, jobs: { threshold: 5, forMs: 10_000 } }
  const own = fleetSettings({ scaling: { up, down: { jobs: { threshold: 1, forMs: 60_000 } }, surge: null } })
  const plan = readScenario(JSON.stringify(scenario), 's.json')
  const html = renderReport({ title: 'own', plan, settings: own, prices: cheap, outcome: simulate(plan, own, cheap), others: [] })
  const [early, jobs] = ['Time before requests got here', 'Signal jobs'].map((title) => figureOf(html, `${title}: not measured in this run`))
  expect(early).toContain('grow above 200 ms for 30 s <output>')
  expect(jobs).toContain('grow above 5 for 10 s <output>')
  expect(jobs).toContain('shrink below 1 for 60 s <output>')
  expect([early, jobs].map((figure) => dashedIn(figure ?? ''))).toEqual([1, 2])
  // Without triggers a signal that is measured is still shown; without a surge lane nothing of it is.
  expect(dashedIn(figureOf(html, 'CPU of a worker'))).toBe(0)
  expect(html).not.toContain('surge from')
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
