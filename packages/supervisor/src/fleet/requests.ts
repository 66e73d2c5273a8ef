import { StationmasterError } from '../errors.ts'
import { leastBudget, planBudget } from '../policy/budget-plan.ts'
import { countReady, isLeaving, isReady, isReadySpare } from './census.ts'
import { type Draft, findWorker, patchWorker } from './draft.ts'
import { currentCeiling } from './observe.ts'
import { databaseCeiling } from './leases.ts'
import { drainWorker } from './lifecycle.ts'
import { beginReload } from './reload.ts'
import { scaleByHand, stayFed } from './scaling.ts'

/** What operators ask. Every request is answered exactly once, now or when it is done. */

export function onScaleRequested(draft: Draft, requestId: number, workers: number | 'auto'): void {
  const { fleet } = draft
  if (refusedWhileStopping(draft, requestId)) return
  if (workers === 'auto') {
    fleet.mode = 'auto'
    fleet.standing = null
    const isShadow = fleet.settings.scaling.mode === 'shadow'
    return answer(
      draft,
      requestId,
      isShadow ? 'the size stays; in shadow mode the load only decides what it would be' : 'scaling follows the load again',
    )
  }
  const { max } = fleet.settings.workers
  if (!Number.isInteger(workers) || workers < 1 || workers > max) {
    const message = `Cannot scale to ${workers}: expected a whole number from 1 to ${max} (workers.max), or "auto".`
    return refuse(draft, requestId, new StationmasterError('SM_REQUEST_INVALID', 'option', message))
  }
  const fed = databaseCeiling(fleet)
  if (fed && workers > fed.workers) {
    const message = `Cannot scale to ${workers}: ${fed.because()} (database.budget).`
    return refuse(draft, requestId, new StationmasterError('SM_REQUEST_INVALID', 'option', message))
  }
  if (fleet.pendingScale) answer(draft, fleet.pendingScale.requestId, `superseded: the fleet now goes to ${workers}`)
  const ceiling = currentCeiling(fleet)
  const warning = workers > ceiling.workers ? `${workers} workers, set by hand, are more than this container carries: ${ceiling.because()}` : null
  if (warning !== null) draft.notes.push({ kind: 'fleet:warning', message: `${warning}.` })
  scaleByHand(draft, workers)
  fleet.pendingScale = { requestId, warning }
}

export function onReloadRequested(draft: Draft, requestId: number): void {
  const { fleet } = draft
  if (refusedWhileStopping(draft, requestId)) return
  if (fleet.reload) {
    const message = `A reload to generation ${fleet.reload.generation} is under way; wait for it to end.`
    return refuse(draft, requestId, new StationmasterError('SM_RELOAD_BUSY', 'environment', message))
  }
  beginReload(draft, requestId)
}

/** The last one that serves gets its successor first; any other may go at once, since the fleet fills its place. */
export function onDrainRequested(draft: Draft, requestId: number, workerId: number): void {
  if (refusedWhileStopping(draft, requestId)) return
  const worker = findWorker(draft, workerId)
  if (!worker || isLeaving(worker)) {
    const ids = draft.fleet.workers.filter((other) => !isLeaving(other)).map((other) => other.id)
    const message = `There is no worker ${workerId} to drain; there are ${ids.join(', ') || 'none'}.`
    return refuse(draft, requestId, new StationmasterError('SM_WORKER_UNKNOWN', 'option', message))
  }
  if (isReady(worker) && countReady(draft.fleet) === 1 && !draft.fleet.workers.some(isReadySpare)) {
    patchWorker(draft, workerId, { drainWanted: true })
    return answer(draft, requestId, `worker ${workerId} is the last one ready: it drains as soon as its successor is ready`)
  }
  drainWorker(draft, worker, 'asked by an operator')
  answer(draft, requestId, `worker ${workerId} is draining`)
}

/** Another budget from now on. What is above it is asked back before anybody gets more. */
export function onBudgetRequested(draft: Draft, requestId: number, budget: number): void {
  const { fleet } = draft
  if (refusedWhileStopping(draft, requestId)) return
  const { database } = fleet.settings
  if (database === null) {
    const message = 'There is no budget to change: set database.budget in the configuration and start again.'
    return refuse(draft, requestId, new StationmasterError('SM_REQUEST_INVALID', 'option', message))
  }
  const least = leastBudget(database.options)
  if (!Number.isSafeInteger(budget) || budget < least) {
    const message = `A budget of ${budget} is not allowed; expected a whole number of at least ${least}.`
    return refuse(draft, requestId, new StationmasterError('SM_REQUEST_INVALID', 'option', message))
  }
  const plan = planBudget({ ...database.options, budget })
  fleet.settings = { ...fleet.settings, database: plan }
  const before = fleet.target
  stayFed(draft)
  const fewer = fleet.target < before ? `, which feed ${fleet.target} of the ${before} workers that were wanted` : ''
  answer(draft, requestId, `the budget is ${budget} connections now, of which the workers of this replica share ${plan.available}${fewer}`)
}

function refusedWhileStopping(draft: Draft, requestId: number): boolean {
  if (draft.fleet.phase !== 'draining' && draft.fleet.phase !== 'stopped') return false
  refuse(draft, requestId, new StationmasterError('SM_STOPPING', 'environment', 'The supervisor is stopping; ask again when it runs.'))
  return true
}

function answer(draft: Draft, requestId: number, detail: string): void {
  draft.commands.push({ kind: 'answer', requestId, error: null, detail })
}

function refuse(draft: Draft, requestId: number, error: StationmasterError): void {
  draft.commands.push({ kind: 'answer', requestId, error, detail: '' })
}
