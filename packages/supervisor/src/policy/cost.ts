/** USD a month. */
export interface Prices {
  readonly perReplicaMonth: number
  /** Whatever the number of replicas. */
  readonly fixedMonth: number
  readonly budgetMonth: number | null
}

/** Where a month costs more than one and a half times what was planned, it is said. */
const OVER_BUDGET = 1.5

/** What a month of so many replicas costs; of a number that varies, the mean counts. */
export function monthlyCostUsd(replicas: number, { perReplicaMonth, fixedMonth }: Prices): number {
  return replicas * perReplicaMonth + fixedMonth
}

export function isOverBudget(costUsdPerMonth: number, { budgetMonth }: Prices): boolean {
  return budgetMonth !== null && costUsdPerMonth > budgetMonth * OVER_BUDGET
}
