import { isLeaving, isServing, isSpare, isSuccessor } from './census.ts'
import type { Fleet } from './fleet.ts'

/** What must be true of a fleet after every step. Each broken rule is one sentence; none is the only good answer. */
export function brokenInvariants(fleet: Fleet): string[] {
  const broken: string[] = []
  const { workers, settings } = fleet
  const { max } = settings.workers
  judgeWorkers(fleet, broken)
  if (!(fleet.target >= 1 && fleet.target <= max)) broken.push(`the target ${fleet.target} is outside 1 … ${max}`)
  if (fleet.phase === 'stopped' && workers.length > 0) broken.push('a worker is left though the fleet has stopped')
  if (fleet.respawn.exitsMs.length > settings.restart.intensity + 1) broken.push('the restart window has grown beyond its bound')
  if (fleet.backingOff.length > max) broken.push('more slots back off than there are')
  if (fleet.decisions.length > 200 || fleet.latencies.length > 10 || fleet.queueTimes.length > 10)
    broken.push('the history has grown beyond its bound')
  if (settings.database) judgeBudget(fleet, broken)
  return broken
}

/** All workers in one go: this is asked after every step. */
function judgeWorkers(fleet: Fleet, broken: string[]): void {
  const { workers, phase } = fleet
  const { max } = fleet.settings.workers
  const ids: number[] = []
  const slots: number[] = []
  let successors = 0
  for (const worker of workers) {
    if (ids.includes(worker.id)) broken.push('two workers share an id')
    ids.push(worker.id)
    if (worker.life.kind === 'vacant') broken.push('a vacant worker is listed')
    if (!(worker.slot >= 0 && worker.slot < max)) broken.push(`a slot is outside 0 … ${max - 1}`)
    if (worker.generation >= fleet.nextGeneration) broken.push('a worker is of a generation that was never begun')
    if (phase === 'draining' && !isLeaving(worker)) broken.push('a worker stays though the fleet drains')
    if (phase !== 'stopped' && !(worker.silentMs >= 0)) broken.push('a worker was silent for less than no time')
    if (isServing(worker) && isSuccessor(fleet, worker)) successors++
    else if (isServing(worker) || isSpare(worker)) {
      if (slots.includes(worker.slot)) broken.push('two staying workers share a slot')
      slots.push(worker.slot)
    }
  }
  if (successors > 1) broken.push(`${successors} replacements are under way at once`)
  if (slots.length > max) broken.push(`${slots.length} workers stay, more than workers.max ${max}`)
}

function judgeBudget({ workers, quarantine, server }: Fleet, broken: string[]): void {
  for (const { lease } of workers) if (lease.granted < 0 || lease.held < lease.granted) broken.push('a worker holds less than it was granted')
  for (const { workerId, connections } of quarantine) {
    if (connections <= 0) broken.push('an empty quarantine is kept')
    if (workers.some(({ id }) => id === workerId)) broken.push('the connections of a worker that lives are in quarantine')
  }
  if (quarantine.length > 0 && !server.isAsked) broken.push('nobody asks the server what became of a quarantine')
}
