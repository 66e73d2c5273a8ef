import { describeMs } from '../policy/describe.ts'
import { type Draft, patchWorker } from './draft.ts'
import type { Fleet, Worker } from './fleet.ts'

/** The kernel ends most processes at once, and one that takes GBs of memory in this time. Each repeat waits twice as long. */
const KILL_AGAIN_MS = 1000
/** By then it is not slow but held: people are told. */
const KILLS_BEFORE_WARNING = 4
/** Longer than this no stop waits for a process that SIGKILL does not end. */
const LONGEST_DEATH_MS = 5000

type Kills = NonNullable<Worker['kills']>

export const firstKill = (nowMs: number): Kills => ({ sinceMs: nowMs, count: 1, againAtMs: nowMs + KILL_AGAIN_MS })

/** SIGKILL ends what runs, but not what the kernel holds: it is sent again, and a fleet that stops does not wait for ever. */
export function pressKills(draft: Draft): void {
  for (const worker of draft.fleet.workers) {
    const { kills } = worker
    if (!kills) continue
    if (draft.fleet.nowMs >= givenUpAtMs(draft.fleet, kills)) leaveBehind(draft, worker)
    else if (draft.fleet.nowMs >= kills.againAtMs) killAgain(draft, worker, kills)
  }
}

/** When there is more to do about a worker that was killed; null if it was not. */
export function pressAtMs(fleet: Fleet, { kills }: Worker): number | null {
  return kills ? Math.min(givenUpAtMs(fleet, kills), kills.againAtMs) : null
}

const givenUpAtMs = ({ stopping }: Fleet, { sinceMs }: Kills): number => (stopping ? sinceMs + LONGEST_DEATH_MS : Number.POSITIVE_INFINITY)

function killAgain(draft: Draft, worker: Worker, { sinceMs, count }: Kills): void {
  const againAtMs = draft.fleet.nowMs + KILL_AGAIN_MS * 2 ** count
  patchWorker(draft, worker.id, { kills: { sinceMs, count: count + 1, againAtMs } })
  draft.commands.push({ kind: 'kill', workerId: worker.id })
  if (count + 1 !== KILLS_BEFORE_WARNING) return
  draft.notes.push({ kind: 'fleet:warning', message: `${heldBy(draft, worker)} What it holds is not free until it ends.` })
}

function leaveBehind(draft: Draft, worker: Worker): void {
  const { fleet } = draft
  if (!fleet.stopping) return
  const sentence = `${heldBy(draft, worker)} The supervisor ends without it.`
  fleet.stopping = { ...fleet.stopping, code: 1, message: fleet.stopping.message ? `${fleet.stopping.message}\n${sentence}` : sentence }
  fleet.workers = fleet.workers.filter(({ id }) => id !== worker.id)
}

function heldBy({ fleet }: Draft, { id, pid, kills }: Worker): string {
  const since = describeMs(fleet.nowMs - (kills?.sinceMs ?? fleet.nowMs))
  return `Worker ${id} (pid ${pid ?? 'unknown'}) was killed ${since} ago and is still there: the kernel holds it, as it does while a disk or a network file system hangs.`
}
