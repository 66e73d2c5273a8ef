/** USD a month. */
export interface Prices {
  readonly perReplicaMonth: number
  /** Whatever the number of replicas. */
  readonly fixedMonth: number
  readonly budgetMonth: number | null
}

/** What is reckoned with where nobody says otherwise, in USD a month. */
export const PRICE_LIST = { replica: 20, database: 10, redis: 10 } as const

/** Where a month costs more than one and a half times what was planned, it is said. */
const OVER_BUDGET = 1.5

/** What a month of so many replicas costs; of a number that varies, the mean counts. */
export function monthlyCostUsd(replicas: number, { perReplicaMonth, fixedMonth }: Prices): number {
  return replicas * perReplicaMonth + fixedMonth
}

/** What is paid a month whatever the number of replicas, item by item where it is the price list's. */
export function fixedCosts({ fixedMonth }: Prices): readonly (readonly [what: string, usd: number])[] {
  const { database, redis } = PRICE_LIST
  if (fixedMonth !== database + redis) return [['whatever the number of replicas', fixedMonth]]
  return [
    ['database', database],
    ['Redis', redis],
  ]
}

export function isOverBudget(costUsdPerMonth: number, { budgetMonth }: Prices): boolean {
  return budgetMonth !== null && costUsdPerMonth > budgetMonth * OVER_BUDGET
}
