export interface BudgetOptions {
  /** For all workers of all replicas. */
  readonly budget: number
  readonly reserve: number
  readonly minPerWorker: number
  /** Replicas at the same time, at most. */
  readonly replicas: number
  /** They know of each other, and lend each other what they do not need; else, and by default, each takes an equal part. */
  readonly isShared?: boolean
  readonly minWorkers: number
}

/** What of the budget is for this replica. */
export interface DatabasePlan {
  readonly budget: number
  /** The part of this replica, as far as it needs to ask nobody. */
  readonly share: number
  /** Of it, what its workers may have together. */
  readonly available: number
  /** What the workers of all replicas may have together. */
  readonly cluster: number
  readonly isShared: boolean
  /** What a worker needs in order to work at all. */
  readonly floor: number
  /** What it was planned from. */
  readonly options: BudgetOptions
}

/** Each supervisor asks the server over a connection of its own which connections of dead workers are still there. */
const OWN_CONNECTIONS = 1

/**
 * Every replica takes the same part; where they lend each other connections, only what its smallest fleet and a successor need. The supervisor's own
 * connection is one of the reserve, which is for people and their tools; where that is too small for the supervisors of all replicas, it is one of
 * the share. Where the floors of the smallest fleet and of a successor do not fit into the share, they are lower, since a fleet that cannot be
 * reloaded helps nobody.
 */
export function planBudget(options: BudgetOptions): DatabasePlan {
  const { budget, reserve, minPerWorker, replicas, minWorkers, isShared = false } = options
  const own = reserve >= replicas * OWN_CONNECTIONS ? 0 : OWN_CONNECTIONS
  const equalShare = Math.max(0, Math.floor((budget - reserve) / replicas))
  const share = isShared ? Math.min(equalShare, minPerWorker * (minWorkers + 1) + own) : equalShare
  const available = Math.max(0, share - own)
  const floor = Math.max(1, Math.min(minPerWorker, Math.floor(available / (minWorkers + 1))))
  return { budget, share, available, cluster: Math.max(0, budget - reserve - replicas * own), isShared, floor, options }
}

/** The same for a replica that can ask nobody: an equal part, whatever it needs. */
export function planAlone(plan: DatabasePlan | null): DatabasePlan | null {
  return plan && planBudget({ ...plan.options, isShared: false })
}

/**
 * Of the connections of others, such as people or migrations, those for which the budget keeps nothing free; each replica sees all of them
 * and gives its part, or where they share takes them off what there is to lend.
 */
export function excessOf({ budget, available, cluster, isShared, options: { replicas } }: DatabasePlan, foreign: number): number {
  const own = replicas * OWN_CONNECTIONS
  if (isShared) return Math.max(0, foreign - (budget - cluster - own))
  return Math.ceil(Math.max(0, foreign - (budget - replicas * available - own)) / replicas)
}

/** What is left for the workers beside so many connections of others. Never negative. */
export function availableBeside(plan: DatabasePlan, foreign: number): number {
  return plan.isShared ? plan.available : Math.max(0, plan.available - excessOf(plan, foreign))
}

/** The smallest budget with which the smallest fleet of every replica works. */
export function leastBudget({ reserve, minPerWorker, replicas, minWorkers }: Omit<BudgetOptions, 'budget' | 'isShared'>): number {
  return replicas * minWorkers * minPerWorker + reserve
}
