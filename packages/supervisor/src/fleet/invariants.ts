import { isLeaving, isServing, isSpare, isSuccessor } from './census.ts'
import type { Fleet } from './fleet.ts'

/** What must be true of a fleet after every step. Each broken rule is one sentence; none is the only good answer. */
export function brokenInvariants(fleet: Fleet): string[] {
  const broken: string[] = []
  const rule = (holds: boolean, sentence: string) => {
    if (!holds) broken.push(sentence)
  }
  const { workers, settings } = fleet
  const { max } = settings.workers
  const ids = new Set(workers.map((worker) => worker.id))
  rule(ids.size === workers.length, 'two workers share an id')
  rule(
    workers.every((worker) => worker.life.kind !== 'vacant'),
    'a vacant worker is listed',
  )
  rule(fleet.target >= 1 && fleet.target <= max, `the target ${fleet.target} is outside 1 … ${max}`)
  rule(
    workers.every((worker) => worker.slot >= 0 && worker.slot < max),
    `a slot is outside 0 … ${max - 1}`,
  )
  const successors = workers.filter((worker) => isServing(worker) && isSuccessor(fleet, worker))
  rule(successors.length <= 1, `${successors.length} replacements are under way at once`)
  const staying = workers.filter((worker) => (isServing(worker) || isSpare(worker)) && !successors.includes(worker))
  rule(new Set(staying.map((worker) => worker.slot)).size === staying.length, 'two staying workers share a slot')
  rule(staying.length <= max, `${staying.length} workers stay, more than workers.max ${max}`)
  rule(fleet.phase !== 'draining' || workers.every(isLeaving), 'a worker stays though the fleet drains')
  rule(fleet.phase !== 'stopped' || workers.length === 0, 'a worker is left though the fleet has stopped')
  rule(fleet.respawn.exitsMs.length <= settings.restart.intensity + 1, 'the restart window has grown beyond its bound')
  rule(fleet.backingOff.length <= max, 'more slots back off than there are')
  rule(fleet.decisions.length <= 200 && fleet.latencies.length <= 10 && fleet.queueTimes.length <= 10, 'the history has grown beyond its bound')
  rule(fleet.phase === 'stopped' || workers.every((worker) => worker.silentMs >= 0), 'a worker was silent for less than no time')
  rule(
    fleet.workers.every((worker) => worker.generation < fleet.nextGeneration),
    'a worker is of a generation that was never begun',
  )
  if (settings.database) for (const sentence of brokenBudget(fleet)) rule(false, sentence)
  return broken
}

function brokenBudget({ workers, quarantine, server }: Fleet): string[] {
  const broken: string[] = []
  if (workers.some(({ lease }) => lease.granted < 0 || lease.held < lease.granted)) broken.push('a worker holds less than it was granted')
  if (quarantine.some(({ connections }) => connections <= 0)) broken.push('an empty quarantine is kept')
  if (quarantine.some(({ workerId }) => workers.some(({ id }) => id === workerId)))
    broken.push('the connections of a worker that lives are in quarantine')
  if (quarantine.length > 0 && !server.isAsked) broken.push('nobody asks the server what became of a quarantine')
  return broken
}
