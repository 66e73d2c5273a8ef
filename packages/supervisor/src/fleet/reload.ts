import { StationmasterError } from '../errors.ts'
import { countReady, heads, isLeaving, isReady, isReplacing, isServing, isSpare, successorOf } from './census.ts'
import { type Draft, findWorker, patchWorker } from './draft.ts'
import type { Reload, Worker } from './fleet.ts'
import { lastWords } from './last-words.ts'
import { drainWorker, forkWorker } from './lifecycle.ts'
import { mayFork } from './reconcile.ts'

/**
 * Replacement, start before stop: a successor boots in the slot of the worker it replaces, and only when it is ready does the
 * old one drain. A reload does that slot by slot; the memory limit and `drain` use it for one worker.
 */

/** The first of a new generation must stay ready this long before anything old is touched: a crash right after listening is a bad release too. */
const FIRST_READY_MS = 1000

export function beginReload(draft: Draft, requestId: number): void {
  const { fleet } = draft
  const generation = fleet.nextGeneration
  fleet.nextGeneration = generation + 1
  fleet.reload = { requestId, generation, replaced: 0 }
  draft.notes.push({ kind: 'reload:started', generation })
}

/** Not while its slot backs off: there its last successor has failed. */
export function mayReplace(draft: Draft, worker: Worker): boolean {
  return mayFork(draft) && !draft.fleet.backingOff.some(({ slot, untilMs }) => slot === worker.slot && untilMs > draft.fleet.nowMs)
}

export function replaceWorker(draft: Draft, worker: Worker, generation: number): void {
  if (successorOf(draft.fleet, worker.id)) return
  forkWorker(draft, { slot: worker.slot, generation, role: 'worker', replaces: worker.id })
}

/** Lets old workers go whose successors are ready, and takes the reload one slot further. */
export function advanceReplacements(draft: Draft): void {
  if (draft.fleet.phase === 'draining' || draft.fleet.phase === 'stopped') return
  for (const worker of draft.fleet.workers) settleSuccessor(draft, worker)
  for (const worker of draft.fleet.workers) if (worker.drainWanted && isReady(worker)) letGo(draft, worker)
  advanceReload(draft)
}

function settleSuccessor(draft: Draft, successor: Worker): void {
  if (successor.replaces === null || !isReady(successor)) return
  const { reload, nowMs } = draft.fleet
  const old = findWorker(draft, successor.replaces)
  if (nowMs < settleAtMs(draft, successor)) return
  patchWorker(draft, successor.id, { replaces: null })
  if (reload && successor.generation === reload.generation) {
    draft.fleet.reload = { ...reload, replaced: reload.replaced + 1 }
    draft.fleet.generation = reload.generation
  }
  if (old && isServing(old)) drainWorker(draft, old, `replaced by worker ${successor.id}`)
}

/** An operator's drain of the last ready worker. Its successor may fail, so this looks again at every step. */
function letGo(draft: Draft, worker: Worker): void {
  if (countReady(draft.fleet) > 1) drainWorker(draft, worker, 'asked by an operator')
  else if (!isReplacing(draft.fleet) && mayReplace(draft, worker)) replaceWorker(draft, worker, draft.fleet.generation)
}

/** When a ready successor has proved itself. */
export function settleAtMs(draft: Pick<Draft, 'fleet'>, successor: Worker): number {
  const { reload } = draft.fleet
  if (successor.life.kind !== 'ready' || !isReady(successor)) return Number.POSITIVE_INFINITY
  const isFirst = reload !== null && successor.generation === reload.generation && reload.replaced === 0
  return successor.life.readyAtMs + (isFirst ? FIRST_READY_MS : 0)
}

function advanceReload(draft: Draft): void {
  const { fleet } = draft
  const { reload } = fleet
  if (!reload) return
  const ofOld = (worker: Worker) => worker.generation < reload.generation
  if (reload.replaced > 0) {
    for (const spare of fleet.workers.filter((worker) => isSpare(worker) && ofOld(worker))) drainWorker(draft, spare, 'spare of an old generation')
  }
  // One slot at a time: neither a successor under way nor an old worker still draining.
  if (isReplacing(fleet) || fleet.workers.some((worker) => isLeaving(worker) && ofOld(worker))) return
  const next = fleet.workers.find((worker) => isServing(worker) && ofOld(worker))
  if (!next) return awaitNewGeneration(draft, reload)
  if (isReady(next) && mayFork(draft)) replaceWorker(draft, next, reload.generation)
}

/** Nothing old serves any more, maybe because it crashed: what is missing is forked as new, and only when all serve is it done. */
function awaitNewGeneration(draft: Draft, reload: Reload): void {
  const { fleet } = draft
  fleet.generation = reload.generation
  const serving = heads(fleet)
  if (serving.length >= fleet.target && serving.every(isReady)) finishReload(draft)
}

function finishReload(draft: Draft): void {
  const { reload } = draft.fleet
  if (!reload) return
  draft.fleet.reload = null
  draft.fleet.generation = reload.generation
  const detail = `generation ${reload.generation} is serving: ${reload.replaced} ${reload.replaced === 1 ? 'worker was' : 'workers were'} replaced`
  draft.commands.push({ kind: 'answer', requestId: reload.requestId, error: null, detail })
  draft.notes.push({ kind: 'reload:done', generation: reload.generation, replaced: reload.replaced })
}

/** True when the death of this worker says that the new generation is not fit to serve. */
export function failsReload(draft: Draft, worker: Worker): boolean {
  const { reload } = draft.fleet
  return reload !== null && worker.generation === reload.generation && worker.replaces !== null
}

export function abortReload(draft: Draft, worker: Worker, how: string, lastStderrLines: readonly string[]): void {
  const { reload } = draft.fleet
  if (!reload) return
  draft.fleet.reload = null
  const last = lastWords(lastStderrLines)
  const stays =
    reload.replaced === 0
      ? 'the old workers stay'
      : `${reload.replaced} ${reload.replaced === 1 ? 'worker is' : 'workers are'} new, the others stay as they were`
  const message = `Reload aborted: worker ${worker.id} of generation ${reload.generation} ${how} before it was ready to take over; ${stays}.${last ? ` It said: ${last}` : ''}`
  draft.commands.push({
    kind: 'answer',
    requestId: reload.requestId,
    error: new StationmasterError('SM_RELOAD_FAILED', 'application', message),
    detail: '',
  })
  draft.notes.push({ kind: 'reload:aborted', generation: reload.generation, message })
}
