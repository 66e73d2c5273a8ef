import { type Prices, isOverBudget } from '../policy/cost.ts'
import { describeMs } from '../policy/describe.ts'
import type { FleetSettings } from '../fleet/fleet.ts'
import type { Compared } from './compare.ts'
import type { Detail } from './moments.ts'
import type { Plan } from './plan.ts'
import { type Timeline, escape, left, right, timeLabel, width } from './plot-frame.ts'
import { type LineChart, type Series, drawLineChart } from './plot-lines.ts'
import { chartsOf, comparisonChart, thinned } from './report-charts.ts'
import { costTable, shareOfBudget } from './report-costs.ts'
import { script } from './report-script.ts'
import { style } from './report-style.ts'
import type { Outcome, Summary } from './simulate.ts'

/** More decisions than this are in the table only. */
const MOST_MARKS = 40
const MOST_ROWS = 500
const MOST_WARNINGS = 20

export interface ReportInput {
  readonly title: string
  readonly plan: Plan
  readonly settings: FleetSettings
  readonly prices: Prices
  readonly outcome: Outcome
  readonly others: readonly Compared[]
}

/** One page with everything in it: it can be mailed, and opened without a network. */
export function renderReport(input: ReportInput): string {
  const { title, plan, outcome, others } = input
  const timeline = timelineOf(plan, outcome)
  const moments = thinned(outcome.timeline)
  const charts = [...chartsOf(moments, plan, input.settings.scaling), ...(others.length > 0 ? [comparisonChart(outcome, others)] : [])]
  const figures = charts.map(
    (chart, index) =>
      `<figure data-chart="${index}"><figcaption><b>${escape(chart.title)}</b>${chart.series.map(drawKey).join('')}</figcaption>${drawLineChart(timeline, chart)}</figure>`,
  )
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}, simulated</title>
<link rel="icon" href="data:,">
<style>${style}</style>
<header><h1>${escape(title)}</h1><p>${escape(plan.about)}</p><p>simulated by stationmaster · ${describeLength(plan)} · seed ${plan.scenario.seed} · ${plan.scenario.host.cpus} cores</p></header>
<section class="tiles">${tilesOf(input).map(drawTile).join('')}</section>
${warningOf(input)}${figures.join('\n')}
${others.length > 0 ? comparisonTable(outcome.summary, others) : ''}
${costTable(input)}
<h2>Decisions</h2>
${decisionTable(outcome)}
<p class="quiet">Response times above ${plan.objectiveMs} ms (p95 of a tick) count as seconds over the objective. Worker-hours count every process, spares and those that start or leave included.
Dashed lines are the thresholds of the policy. The same scenario and seed give this page again.</p>
<script type="application/json" id="data">${dataOf(moments, charts)}</script>
<script>${script({ left, right, width, seconds: timeline.seconds })}</script>
</html>
`
}

function timelineOf(plan: Plan, { decisions }: Outcome): Timeline {
  const changes = decisions.filter(({ from, to }) => from !== to).slice(0, MOST_MARKS)
  const marks = changes.map(({ atMs, from, to, reason }, index) => ({
    atS: atMs / 1000,
    label: String(index + 1),
    text: `${from} → ${to} workers: ${reason}`,
  }))
  return { seconds: plan.durationMs / 1000, spans: [], marks }
}

function comparisonTable(own: Summary, others: readonly Compared[]): string {
  const rows = [
    { name: 'this policy', source: '', summary: own },
    ...others.map(({ name, source, outcome: { summary } }) => ({ name, source, summary })),
  ]
  const cells = rows.map(({ name, source, summary: { sloViolationS, workerHours, replicaHours, costUsdPerMonth, changes, maxReady, maxQueue } }) => {
    const numbers = [`${sloViolationS} s`, workerHours, replicaHours, costUsdPerMonth, changes, maxReady, Math.round(maxQueue)]
    return `<tr><th scope="row">${escape(name)}</th>${numbers.map((value) => `<td>${value}</td>`).join('')}<td>${escape(source)}</td></tr>`
  })
  return `<h2>Policies on this load</h2>
<div class="wide"><table id="comparison"><tr><th></th><th>over the objective</th><th>worker-hours</th><th>replica-hours</th><th>USD a month</th><th>changes</th><th>most ready</th><th>longest queue</th><th>modelled after</th></tr>
${cells.join('\n')}</table></div>`
}

function decisionTable({ decisions }: Outcome): string {
  if (decisions.length === 0) return '<p class="quiet">None: the fleet kept its size, and nothing called for another.</p>'
  let changes = 0
  const rows = decisions.slice(0, MOST_ROWS).map(({ atMs, from, to, wanted, reason, heldBackBy }) => {
    const number = from === to ? '' : `<i>${++changes}</i>`
    const why = heldBackBy.length > 0 ? `${reason}; held back by ${heldBackBy.join(', ')}` : reason
    return `<tr><td>${number}</td><td>${describeMs(atMs)}</td><td>${from} → ${to}${wanted === to ? '' : ` (wanted ${wanted})`}</td><td>${escape(why)}</td></tr>`
  })
  return `<div class="wide"><table id="decisions"><tr><th></th><th>at</th><th>workers</th><th>why</th></tr>\n${rows.join('\n')}\n</table></div>`
}

function tilesOf({ prices, outcome: { summary } }: ReportInput): (readonly [what: string, value: string])[] {
  return [
    ['requests', String(summary.requests)],
    ['over the objective', `${summary.sloViolationS} s`],
    ['worker-hours', String(summary.workerHours)],
    ['replica-hours', String(summary.replicaHours)],
    ['changes of size', String(summary.changes)],
    ['cost of the run', `${summary.costUsd} USD`],
    ['cost of a month', `${summary.costUsdPerMonth} USD`],
    ...(prices.budgetMonth === null ? [] : [['of the budget', shareOfBudget(summary.costUsdPerMonth, prices.budgetMonth)] as const]),
  ]
}

const drawTile = ([what, value]: readonly [string, string]): string => `<div><strong>${escape(value)}</strong>${escape(what)}</div>`
const drawKey = ({ name, color }: Series): string => `<span style="--key:var(--${color})">${escape(name)} <output></output></span>`
const describeLength = ({ durationMs }: Plan): string => timeLabel(durationMs / 1000)

function warningOf({ prices, outcome: { summary, warnings } }: ReportInput): string {
  const sentences = [
    ...summary.violations.map((sentence) => `Broken rule: ${sentence}`),
    ...summary.unmet.map((sentence) => `Not as expected: ${sentence}`),
  ]
  if (isOverBudget(summary.costUsdPerMonth, prices))
    sentences.unshift(`A month costs ${summary.costUsdPerMonth} USD, more than 150 % of the budget of ${prices.budgetMonth} USD`)
  const alerts = sentences.map((sentence) => `<p role="alert"><b>${escape(sentence)}.</b></p>\n`)
  const left = warnings.length - MOST_WARNINGS
  const told = [...warnings.slice(0, MOST_WARNINGS), ...(left > 0 ? [`… and ${left} more warnings`] : [])]
  return [...alerts, ...told.map((sentence) => `<p role="status">${escape(sentence)}</p>\n`)].join('')
}

/** For the values under the pointer: already in words, so that the page needs no code to format them. */
function dataOf(moments: readonly Detail[], charts: readonly LineChart[]): string {
  const textsOf = ({ points }: Series, format: LineChart['format']): string[] => {
    return moments.map((_, index) => {
      const value = (points.length === moments.length ? points[index] : points[0])?.[1] ?? null
      return value === null ? '–' : format(value)
    })
  }
  const texts = charts.map(({ series, format }) =>
    series.map((each) => (each.shape === 'dashed' && each.points.length === 2 ? [] : textsOf(each, format))),
  )
  return JSON.stringify({ times: moments.map(({ atS }) => atS), texts }).replaceAll('<', '\\u003c')
}
