export interface BudgetOptions {
  /** For all workers of all replicas. */
  readonly budget: number
  readonly reserve: number
  readonly minPerWorker: number
  /** Replicas that share the budget in equal parts. */
  readonly replicas: number
  readonly minWorkers: number
}

/** What of the budget is for this replica. */
export interface DatabasePlan {
  readonly budget: number
  /** The part of this replica. */
  readonly share: number
  /** Of it, what its workers may have together. */
  readonly available: number
  /** What a worker needs in order to work at all. */
  readonly floor: number
  /** What it was planned from. */
  readonly options: BudgetOptions
}

/** Each supervisor asks the server over a connection of its own which connections of dead workers are still there. */
const OWN_CONNECTIONS = 1

/**
 * Every replica takes the same part. The supervisor's own connection is one of the reserve, which is for people and their tools; where that
 * is too small for the supervisors of all replicas, it is one of the share. Where the floors of the smallest fleet and of a successor do not fit
 * into the share, they are lower, since a fleet that cannot be reloaded helps nobody.
 */
export function planBudget(options: BudgetOptions): DatabasePlan {
  const { budget, reserve, minPerWorker, replicas, minWorkers } = options
  const share = Math.max(0, Math.floor((budget - reserve) / replicas))
  const fitsReserve = reserve >= replicas * OWN_CONNECTIONS
  const available = Math.max(0, share - (fitsReserve ? 0 : OWN_CONNECTIONS))
  const floor = Math.max(1, Math.min(minPerWorker, Math.floor(available / (minWorkers + 1))))
  return { budget, share, available, floor, options }
}

/**
 * Of the connections of others, such as people or migrations, those for which the budget keeps nothing free; each replica sees all of them
 * and gives its part.
 */
export function excessOf({ budget, available, options: { replicas } }: DatabasePlan, foreign: number): number {
  const keptFree = budget - replicas * (available + OWN_CONNECTIONS)
  return Math.ceil(Math.max(0, foreign - keptFree) / replicas)
}

/** What is left for the workers beside so many connections of others. Never negative. */
export function availableBeside(plan: DatabasePlan, foreign: number): number {
  return Math.max(0, plan.available - excessOf(plan, foreign))
}

/** The smallest budget with which the smallest fleet of every replica works. */
export function leastBudget({ reserve, minPerWorker, replicas, minWorkers }: Omit<BudgetOptions, 'budget'>): number {
  return replicas * minWorkers * minPerWorker + reserve
}
