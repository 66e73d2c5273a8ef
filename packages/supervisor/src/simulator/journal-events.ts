import { type Kind, amount, anyNumber, fields, optional, orNull, trueOrFalse, wordOr } from '../config/kind.ts'
import type { BackendsSeen, Exited, FleetEvent } from '../fleet/event.ts'
import type { Advice } from '../policy/advice.ts'
import type { Peer, ReplicaTotals } from '../policy/replicas.ts'
import { anyText, atLeastZero, count, list, sample, time, usage } from './journal-parts.ts'

/** The year 2286: what is later is no unix time in milliseconds. */
const LAST_MOMENT_MS = 1e13

type Of<Name extends FleetEvent['kind']> = Omit<Extract<FleetEvent, { readonly kind: Name }>, 'kind' | 'nowMs'>
type Shape<Event> = { readonly [Field in keyof Event]-?: Kind<Event[Field]> }

export const totals: Kind<ReplicaTotals> = fields<ReplicaTotals>('what a replica tells of itself: wanted, most and needs', {
  wanted: orNull(atLeastZero),
  most: atLeastZero,
  needs: orNull(atLeastZero),
})

const peer: Kind<Peer> = fields<Peer>('another replica: id, name, address and totals', {
  id: anyText,
  name: anyText,
  address: orNull(anyText),
  totals: orNull(totals),
})

export const peersShape: Shape<Of<'peersHeard'>> = { ownId: anyText, others: orNull(list(peer)) }

export const exitedShape: Shape<Omit<Exited, 'kind'>> = {
  workerId: count,
  code: orNull(anyNumber),
  signal: orNull(anyText),
  cause: orNull(anyText),
  lastStderrLines: list(anyText),
}

const backend = fields<BackendsSeen['backends'][number]>('the connections of a worker: workerId and connections', {
  workerId: count,
  connections: count,
})
const advice = fields<Advice>("the answer of the user's own policy: workers and reason", { workers: count, reason: orNull(anyText) })

/** What each kind of event tells, beside its time. */
const SHAPES: { readonly [Name in FleetEvent['kind']]: Shape<Of<Name>> } = {
  started: {},
  hello: { workerId: count },
  forked: { workerId: count, pid: count },
  forkFailed: { workerId: count, message: anyText },
  readied: { workerId: count },
  drained: { workerId: count, cutConnections: count, cutRequests: count },
  exited: exitedShape,
  diagnosed: { workerId: count, reportPath: orNull(anyText) },
  probed: { workerId: count, healthy: trueOrFalse, detail: anyText },
  sampled: {
    wallMs: amount(0, LAST_MOMENT_MS, 'a unix time in milliseconds'),
    samples: list(sample),
    usage,
    advice: optional(advice),
  },
  leaseUsed: { workerId: count, sequence: count, holds: count, inUse: count, waiting: count, external: count },
  backendsSeen: { askedAtMs: time, backends: list(backend), starting: count, foreign: count, goneWithinMs: orNull(atLeastZero) },
  peersHeard: peersShape,
  loanHeard: { granted: anyNumber, untilMs: time },
  loanEnded: {},
  // What operators ask may be refused, and then is whatever they asked for.
  budgetRequested: { requestId: count, budget: anyNumber },
  scaleRequested: { requestId: count, workers: wordOr('auto', anyNumber) },
  reloadRequested: { requestId: count },
  drainRequested: { requestId: count, workerId: anyNumber },
  stopRequested: { reason: anyText },
  fatal: { message: anyText },
  woken: {},
}

const KINDS: ReadonlyMap<string, Kind<object>> = new Map(
  Object.entries(SHAPES).map(([name, shape]) => [name, fields<object>('an event', { kind: anyText, nowMs: time, ...shape } as object)]),
)

/** Null where there are no such events. */
export function eventKind(name: unknown): Kind<object> | null {
  return typeof name === 'string' ? (KINDS.get(name) ?? null) : null
}
