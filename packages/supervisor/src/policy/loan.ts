import type { DatabasePlan } from './budget-plan.ts'

/** Database connections that the other replicas let this one have, beyond its floor. */
export interface Loan {
  /** Below 0 as long as it is not known whether there is room for the floor. */
  readonly granted: number
  /** Until when, on the clock that all processes of this machine share; null where nothing was lent. */
  readonly untilMs: number | null
  /** A loan ended, and workers have not given all of it back yet: what they were told then, others may have by now. */
  readonly isLapsed: boolean
}

/** At first not even the floor, where others may have to be heard. */
export function firstLoan(plan: Pick<DatabasePlan, 'isShared' | 'available'> | null): Loan {
  return { granted: plan?.isShared ? -plan.available : 0, untilMs: null, isLapsed: false }
}
