import { type Kind, anyNumber, anyOf, exactly, fields, mapOf, oneOf, orNull, trueOrFalse } from '../config/kind.ts'
import type { Fleet, Quarantine, Reload, ServerSeen, Stopping, Unreported, Worker } from '../fleet/fleet.ts'
import type { Life } from '../fleet/slot.ts'
import type { LastExit } from '../fleet/status.ts'
import type { Decision, SignalReading } from '../policy/decision.ts'
import type { Trend } from '../policy/forecast.ts'
import type { Holds } from '../policy/holds.ts'
import type { LeaseState } from '../policy/lease.ts'
import type { Loan } from '../policy/loan.ts'
import type { Change } from '../policy/rate.ts'
import type { Peers, ReplicaNeed, ReplicaState } from '../policy/replicas.ts'
import type { RespawnState } from '../policy/respawn.ts'
import type { PeerAddress } from '../policy/route.ts'
import type { ScaleState } from '../policy/scale.ts'
import type { Hold } from '../policy/window.ts'
import { exitedShape, peersShape, totals } from './journal-events.ts'
import { anyText, atLeastZero, count, latencyCounts, list, report, time, usage } from './journal-parts.ts'
import { settingsKind, workers } from './journal-settings.ts'

const role = oneOf('worker', 'spare')
type In<Name extends Life['kind']> = Extract<Life, { readonly kind: Name }>

const life: Kind<Life> = anyOf(
  'the life of a worker, such as { "kind": "ready", "readyAtMs": 0 }',
  fields<In<'vacant'>>('an empty slot', { kind: exactly('vacant') }),
  fields<In<'booting'>>('a boot', { kind: exactly('booting'), role, deadlineMs: time }),
  fields<In<'spare'>>('a spare', { kind: exactly('spare'), readyAtMs: time }),
  fields<In<'ready'>>('a ready worker', { kind: exactly('ready'), readyAtMs: time }),
  fields<In<'draining'>>('a drain', { kind: exactly('draining'), deadlineMs: time }),
  fields<In<'killing'>>('an end', { kind: exactly('killing'), failed: trueOrFalse, role, booted: trueOrFalse }),
)

const lease = fields<LeaseState>('a lease', {
  sequence: count,
  granted: count,
  held: count,
  acknowledged: count,
  confirmed: count,
  inUse: count,
  waiting: count,
  external: count,
})

const worker: Kind<Worker> = fields<Worker>('a worker', {
  id: count,
  slot: count,
  generation: count,
  life,
  pid: orNull(count),
  forkedAtMs: time,
  replaces: orNull(count),
  leaving: orNull(anyText),
  cpu: orNull(atLeastZero),
  memoryBytes: orNull(atLeastZero),
  report: orNull(report),
  reportAtMs: orNull(time),
  silentMs: time,
  stuckAtMs: orNull(time),
  drainWanted: trueOrFalse,
  kills: orNull(fields<NonNullable<Worker['kills']>>('the kills of a worker', { sinceMs: time, count, againAtMs: time })),
  ticksAboveMemoryLimit: count,
  probedAtMs: time,
  failedProbes: count,
  lease,
})

const hold = orNull(fields<Hold>('since when something holds', { sinceMs: time, mean: anyNumber }))
const holdsByName = mapOf('what holds, by name', anyText, hold)
const trend = orNull(fields<Trend>('a trend', { level: anyNumber, slopePerMs: anyNumber, watchedMs: time }))

const scale: Kind<ScaleState> = fields<ScaleState>('what the scaling policy remembers', {
  holds: fields<Holds>('what holds', {
    up: holdsByName,
    down: holdsByName,
    surge: holdsByName,
    expected: holdsByName,
    busiest: orNull(anyNumber),
    others: orNull(anyNumber),
  }),
  trends: mapOf('trends by name', anyText, trend),
  grewAtMs: orNull(time),
  changedAtMs: orNull(time),
  shrankAtMs: orNull(time),
  flaps: fields<ScaleState['flaps']>('flaps', { count, atMs: time }),
  surged: anyNumber,
  changes: list(fields<Change>('a change of the size', { atMs: time, by: anyNumber })),
  heldBack: orNull(fields<NonNullable<ScaleState['heldBack']>>('what held a decision back', { key: anyText, seenAtMs: time })),
})

const reading = fields<SignalReading>('a signal as it was read', { value: orNull(anyNumber), threshold: anyNumber, heldForMs: time })
const need = fields<ReplicaNeed>('how many replicas are needed', {
  have: count,
  needs: count,
  reason: anyText,
  costUsdPerMonth: anyNumber,
  isOverBudget: trueOrFalse,
})

const decision: Kind<Decision> = fields<Decision>('a decision', {
  atMs: time,
  from: count,
  to: count,
  wanted: count,
  lane: oneOf('window', 'surge', 'forecast', 'custom', 'bounds', 'manual'),
  reason: anyText,
  signals: mapOf('signals by name', anyText, reading),
  heldBackBy: list(anyText),
  wouldChange: anyText,
  replicas: orNull(need),
})

const respawn = fields<RespawnState>('recent exits', { exitsMs: list(time), notBeforeMs: time })
const loan = fields<Loan>('what is lent', { granted: anyNumber, untilMs: orNull(time), isLapsed: trueOrFalse })
const limits = fields<Fleet['limits']>('floor and ceiling', { min: workers, max: workers, minute: anyNumber })

const replicas: Kind<ReplicaState> = fields<ReplicaState>('what is said of replicas', {
  have: count,
  needs: count,
  above: hold,
  below: hold,
  missedSinceMs: orNull(time),
  changedAtMs: orNull(time),
  reason: anyText,
})

/** A fleet as it was when a journal begins, complete. */
export const fleetKind: Kind<Fleet> = fields<Fleet>('a fleet', {
  settings: settingsKind,
  phase: oneOf('starting', 'running', 'draining', 'stopped'),
  nowMs: time,
  startedAtMs: orNull(time),
  workers: list(worker),
  nextWorkerId: count,
  generation: count,
  nextGeneration: count,
  mode: oneOf('auto', 'manual'),
  target: workers,
  spareTarget: workers,
  scale,
  limits,
  bootsMs: list(time),
  respawn,
  spareRespawn: respawn,
  backingOff: list(fields<Fleet['backingOff'][number]>('a slot whose worker failed', { slot: count, untilMs: time })),
  recycledAtMs: orNull(time),
  quarantine: list(fields<Quarantine>('what a worker left', { workerId: count, connections: count, sinceMs: time, seenAtMs: time })),
  server: fields<ServerSeen>('the database server', { isAsked: trueOrFalse, seenAtMs: orNull(time), foreign: count, goneWithinMs: orNull(time) }),
  reload: orNull(fields<Reload>('a reload', { requestId: count, generation: count, replaced: count })),
  stopping: orNull(
    fields<Stopping>('a stop', {
      code: anyNumber as Kind<Stopping['code']>,
      message: orNull(anyText),
      requestedAtMs: time,
      requests: count,
    }),
  ),
  pendingScale: orNull(fields<NonNullable<Fleet['pendingScale']>>('a scale by hand', { requestId: count, warning: orNull(anyText) })),
  sampledAtMs: orNull(time),
  usage,
  cpuExhaustion: hold,
  starvedSinceMs: orNull(time),
  unreported: list(fields<Unreported>('a signal that nobody reports', { name: anyText, sinceMs: time, told: trueOrFalse })),
  latencies: list(latencyCounts),
  queueTimes: list(latencyCounts),
  decisions: list(decision),
  standing: orNull(decision),
  peers: orNull(fields<Peers>('other replicas', peersShape)),
  peerAddresses: list(fields<PeerAddress>('where a replica is', { tag: anyText, host: anyText, port: count })),
  loan,
  replicas,
  totals: orNull(totals),
  restarts: count,
  requestsTotal: count,
  chance: orNull(anyNumber),
  lastExit: orNull(fields<LastExit>('the last exit', { ...exitedShape, atMs: time })),
})
