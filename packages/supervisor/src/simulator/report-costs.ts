import { type Prices, fixedCosts } from '../policy/cost.ts'
import { rounded } from './observer.ts'
import type { Plan } from './plan.ts'
import { escape } from './plot-frame.ts'
import type { Outcome } from './simulate.ts'

/** What a month costs item by item, what the platform's off-hours save of it, and what it is of the budget. */
export function costTable({
  plan,
  prices,
  outcome: { summary },
}: {
  readonly plan: Plan
  readonly prices: Prices
  readonly outcome: Outcome
}): string {
  const { perReplicaMonth, budgetMonth } = prices
  const { costUsdPerMonth, savedUsdPerMonth, replicaHours } = summary
  const replicas = plan.scenario.replicas ? rounded(replicaHours / (plan.durationMs / 3_600_000)) : 1
  const rows: (readonly [what: string, value: string])[] = [
    [`${replicas === 1 ? '1 replica' : `${replicas} replicas in the mean`}, ${perReplicaMonth} USD each`, usd(rounded(replicas * perReplicaMonth))],
    ...fixedCosts(prices).map(([what, amount]) => [what, usd(amount)] as const),
    ['in all', usd(costUsdPerMonth)],
  ]
  if (savedUsdPerMonth > 0) rows.push(['saved by off-hours, against the highest floor of the schedule around the clock', usd(savedUsdPerMonth)])
  if (budgetMonth !== null) rows.push([`of a budget of ${budgetMonth} USD`, shareOfBudget(costUsdPerMonth, budgetMonth)])
  const cells = rows.map(([what, value]) => `<tr><th scope="row">${escape(what)}</th><td>${value}</td></tr>`)
  return `<h2>Costs of a month</h2>\n<div class="wide"><table id="costs">\n${cells.join('\n')}\n</table></div>`
}

const usd = (amount: number): string => `${amount} USD`

/** A budget of nothing is used up by anything. */
export function shareOfBudget(costUsdPerMonth: number, budgetMonth: number): string {
  return budgetMonth > 0 ? `${Math.round((costUsdPerMonth / budgetMonth) * 100)} %` : 'all'
}
