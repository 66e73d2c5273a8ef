import type { Settings } from '../config/settings.ts'
import { isOverBudget } from '../policy/cost.ts'
import type { Plan } from '../simulator/plan.ts'
import type { Compared } from '../simulator/compare.ts'
import type { Outcome } from '../simulator/simulate.ts'
import { describeStep } from './render-decision.ts'
import { type Terminal, harmless } from './terminal.ts'
import { count, milliseconds, uptime } from './units.ts'

/** Decisions that are told one by one; the rest are for `--json` and the report. */
const MOST_DECISIONS = 20
const WIDTH = 60
const LEVELS = ' ▁▂▃▄▅▆▇█'

/** A run at a glance: curves, what was decided, what it came to. */
export function renderOutcome(plan: Plan, outcome: Outcome, { cost }: Pick<Settings, 'cost'>, paint: Terminal['paint']): string[] {
  const { timeline, decisions, summary } = outcome
  const changes = decisions.filter(({ from, to }) => from !== to)
  const curve = (name: string, values: readonly (number | null)[], most: string): string =>
    `${name.padEnd(12)}${paint('cyan', sparkline(values))}  ${most}`
  const peak = (values: readonly (number | null)[]): number => values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0)
  const [load, ready, p95] = [
    timeline.map((moment) => moment.requestsPerSecond),
    timeline.map((moment) => moment.ready),
    timeline.map((moment) => moment.p95Ms),
  ]
  return [
    ...(plan.about === '' ? [] : [harmless(plan.about), '']),
    curve('requests/s', load, `at most ${count(peak(load))}`),
    curve('ready', ready, `at most ${peak(ready)}`),
    curve('p95', p95, `at most ${milliseconds(peak(p95))}`),
    '',
    ...changes
      .slice(0, MOST_DECISIONS)
      .map((decision) => `${uptime(decision.atMs / 1000).padStart(8)}  ${paint('bold', describeStep(decision))}  ${harmless(decision.reason)}`),
    ...(changes.length > MOST_DECISIONS ? [`          … and ${changes.length - MOST_DECISIONS} more changes; --json has them all`] : []),
    ...(changes.length === 0 ? ['The fleet kept its size.'] : []),
    '',
    ...labelled([
      ['requests', `${summary.requests}; ${summary.answered} answered, ${summary.cut} cut`],
      ['over objective', `${summary.sloViolationS} s with a p95 above ${plan.objectiveMs} ms`],
      ['workers', `${summary.workerHours} worker-hours, at most ${summary.maxReady} ready, ${summary.changes} changes`],
      ...(plan.scenario.replicas ? [['replicas', `${summary.replicaHours} replica-hours, at most ${summary.maxReplicas}`] as const] : []),
      [
        'cost',
        `${summary.costUsd} USD for ${uptime(plan.durationMs / 1000)}; ${summary.costUsdPerMonth} USD a month${budgetOf(cost, summary.costUsdPerMonth)}`,
      ],
      ...(summary.savedUsdPerMonth > 0
        ? [['off-hours', `save ${summary.savedUsdPerMonth} USD a month, ${summary.savedReplicaHours} replica-hours of the run`] as const]
        : []),
    ]),
    ...outcome.warnings.map((sentence) => paint('yellow', harmless(sentence))),
    ...summary.unmet.map((sentence) => paint('red', `not as expected: ${harmless(sentence)}`)),
  ]
}

/** Several policies on one load, side by side. */
export function renderComparison(own: Outcome, others: readonly Compared[], paint: Terminal['paint']): string[] {
  if (others.length === 0) return []
  const rows = [{ name: 'this policy', outcome: own }, ...others].map(({ name, outcome: { summary } }) => {
    const { sloViolationS, workerHours, costUsdPerMonth, changes, maxReady, maxQueue } = summary
    return [name, `${sloViolationS} s`, String(workerHours), String(costUsdPerMonth), String(changes), String(maxReady), count(maxQueue)]
  })
  const titles = ['', 'over objective', 'worker-hours', 'USD a month', 'changes', 'most ready', 'longest queue']
  const line = (cells: readonly string[]): string => cells.map((cell, index) => (index === 0 ? cell.padEnd(16) : cell.padStart(15))).join('')
  return ['', paint('dim', line(titles)), ...rows.map(line), ...others.map(({ name, source }) => paint('dim', `${name}: ${source}`))]
}

function budgetOf(prices: Settings['cost'], costUsdPerMonth: number): string {
  if (prices.budgetMonth === null) return ''
  const warning = isOverBudget(costUsdPerMonth, prices) ? ': more than 150 % of it' : ''
  return ` of a budget of ${prices.budgetMonth} USD${warning}`
}

const labelled = (rows: readonly (readonly [string, string])[]): string[] => rows.map(([label, text]) => `${label.padEnd(16)}${text}`)

/** Each character is the highest value of its time. */
function sparkline(values: readonly (number | null)[]): string {
  const most = values.reduce<number>((high, value) => Math.max(high, value ?? 0), 0) || 1
  const width = Math.min(WIDTH, values.length)
  const columns = Array.from({ length: width }, (_, index) => {
    const part = values.slice(Math.floor((index * values.length) / width), Math.floor(((index + 1) * values.length) / width))
    return part.reduce<number>((high, value) => Math.max(high, value ?? 0), 0)
  })
  return columns.map((value) => LEVELS[Math.ceil((value / most) * (LEVELS.length - 1))]).join('')
}
