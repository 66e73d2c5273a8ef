import type { FleetEvent } from '../fleet/event.ts'
import type { Sample } from '../policy/sample.ts'

type Fields<Event> = { readonly [Field in Exclude<keyof Event, 'kind' | 'nowMs'>]-?: 'number' | 'other' }

/** What each kind of event tells, as it stands in a journal. The numbers are read here and by the fleet. */
export const EVENT_FIELDS: { readonly [Kind in FleetEvent['kind']]: Fields<Extract<FleetEvent, { readonly kind: Kind }>> } = {
  started: {},
  hello: { workerId: 'number' },
  forked: { workerId: 'number', pid: 'number' },
  forkFailed: { workerId: 'number', message: 'other' },
  readied: { workerId: 'number' },
  drained: { workerId: 'number', cutConnections: 'number', cutRequests: 'number' },
  exited: { workerId: 'number', code: 'other', signal: 'other', cause: 'other', lastStderrLines: 'other' },
  diagnosed: { workerId: 'number', reportPath: 'other' },
  probed: { workerId: 'number', healthy: 'other', detail: 'other' },
  sampled: { wallMs: 'number', samples: 'other', usage: 'other', advice: 'other' },
  leaseUsed: { workerId: 'number', sequence: 'other', holds: 'other', inUse: 'other', waiting: 'other', external: 'other' },
  backendsSeen: { askedAtMs: 'number', backends: 'other', starting: 'number', foreign: 'number', goneWithinMs: 'other' },
  peersHeard: { ownId: 'other', others: 'other' },
  loanHeard: { granted: 'number', untilMs: 'number' },
  loanEnded: {},
  budgetRequested: { requestId: 'number', budget: 'number' },
  scaleRequested: { requestId: 'number', workers: 'other' },
  reloadRequested: { requestId: 'number' },
  drainRequested: { requestId: 'number', workerId: 'number' },
  stopRequested: { reason: 'other' },
  fatal: { message: 'other' },
  woken: {},
}

export const SAMPLE_FIELDS: Readonly<Record<keyof Sample, true>> = { workerId: true, cpu: true, memoryBytes: true, report: true }

/** The first of its fields that is none of those. */
export function unknownField(line: object, known: object): string | undefined {
  return Object.keys(line).find((name) => !Object.hasOwn(known, name))
}
