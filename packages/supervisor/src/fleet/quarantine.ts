import { describeMs } from '../policy/describe.ts'
import type { Draft } from './draft.ts'
import type { BackendsSeen } from './event.ts'
import type { Fleet, Quarantine, Worker } from './fleet.ts'
import { foreignExcess } from './leases.ts'

/** What workers that are gone may still have open, until the server shows it gone, or by its own settings cannot have it any more. */

/** A connection that a dying process had just begun may need this long until the server shows it. */
const SETTLE_MS = 500
/** While connections are in use, the server is asked this often who else has some. */
const LOOK_EVERY_MS = 5000

/** The process is gone, its connections maybe not. */
export function quarantine(draft: Draft, worker: Worker): void {
  const { held } = worker.lease
  const { fleet } = draft
  if (held === 0) return
  fleet.quarantine = [...fleet.quarantine, { workerId: worker.id, connections: held, sinceMs: fleet.nowMs, seenAtMs: fleet.nowMs }]
  ask(draft)
}

/** What the server still shows of the dead. They can open nothing more, so what is gone once is gone. */
export function onBackendsSeen(draft: Draft, event: BackendsSeen): void {
  const { fleet } = draft
  const excessBefore = foreignExcess(fleet)
  const { foreign, goneWithinMs } = event
  fleet.server = { isAsked: false, seenAtMs: fleet.nowMs, foreign, goneWithinMs }
  fleet.quarantine = fleet.quarantine.map((entry) => seenAgain(entry, event, fleet.nowMs)).filter(({ connections }) => connections > 0)
  if (fleet.quarantine.length > 0) ask(draft)
  const excess = foreignExcess(fleet)
  if (excess > 0 && excessBefore === 0) draft.notes.push({ kind: 'fleet:warning', message: tooManyForeign(fleet, excess) })
}

function seenAgain(entry: Quarantine, { askedAtMs, backends, starting }: BackendsSeen, nowMs: number): Quarantine {
  if (askedAtMs < entry.sinceMs + SETTLE_MS) return entry
  const seen = backends.find(({ workerId }) => workerId === entry.workerId)?.connections ?? 0
  // One that has no name yet may be anybody's.
  return { ...entry, connections: Math.min(entry.connections, seen + starting), seenAtMs: nowMs }
}

function tooManyForeign({ server }: Fleet, excess: number): string {
  const others = `${server.foreign} connections of the app's database role are neither of workers nor of another fleet`
  return `${others}, ${excess} more than database.reserve keeps free: the workers get ${excess} fewer until they are gone.`
}

/** Once a tick: what nobody can be asked about any more, and whether to look who else is there. */
export function watchServer(draft: Draft): void {
  releaseByBound(draft)
  const { server, nowMs, workers } = draft.fleet
  const isUsed = workers.some(({ lease }) => lease.inUse + lease.waiting > 0)
  // While nobody needs the database, it is left to sleep.
  if (server.seenAtMs === null || (isUsed && nowMs - server.seenAtMs >= LOOK_EVERY_MS)) ask(draft)
}

function releaseByBound(draft: Draft): void {
  const { fleet } = draft
  const { goneWithinMs } = fleet.server
  if (goneWithinMs === null) return
  const isOver = ({ seenAtMs }: Quarantine): boolean => fleet.nowMs - seenAtMs > goneWithinMs
  for (const { workerId, connections } of fleet.quarantine.filter(isOver)) {
    const since = `The database could not be asked for ${describeMs(goneWithinMs)} which of ${connections} connections of worker ${workerId}, which is gone, are still open`
    draft.notes.push({ kind: 'fleet:warning', message: `${since}; by its own settings none can be.` })
  }
  fleet.quarantine = fleet.quarantine.filter((entry) => !isOver(entry))
}

function ask({ fleet, commands }: Draft): void {
  if (fleet.server.isAsked) return
  fleet.server = { ...fleet.server, isAsked: true }
  commands.push({ kind: 'askBackends', workerIds: fleet.quarantine.map(({ workerId }) => workerId) })
}
