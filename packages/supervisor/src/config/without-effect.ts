import type { Settings } from './settings.ts'

/** Options that are understood but do nothing yet: better said than silently ignored. */
export function withoutEffect({ routing, database, cost }: Settings): string[] {
  const options = [
    ...(routing.balance === 'reuse-port' || routing.balance === 'least-busy' ? [`routing.balance "${routing.balance}" (it acts as "shared")`] : []),
    ...(database.budget === null ? [] : ['database.budget']),
    ...(cost.budgetMonth === null ? [] : ['cost.budgetMonth']),
  ]
  return options.map((option) => `${option} has no effect in this version.`)
}
