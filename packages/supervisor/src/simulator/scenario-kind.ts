import {
  type FieldKind,
  type Kind,
  amount,
  anyNumber,
  anyOf,
  checked,
  fields,
  listOf,
  mapOf,
  oneOf,
  optional,
  text,
  trueOrFalse,
  wholeNumber,
  wordOr,
} from '../config/kind.ts'
import { scheduleEntry } from '../config/schedule.ts'
import { MOST_CUSTOM_SIGNALS, isBuiltIn, isSignalName } from '../policy/custom-signals.ts'
import type { ScheduleEntry } from '../policy/settings.ts'
import { FAULT_KINDS, type FaultKind } from './scenario.ts'

/** A scenario as it stands in a file: seconds, and much left out. */
export interface GivenScenario {
  readonly about: string | undefined
  readonly durationS: number
  readonly tickMs: number | undefined
  readonly seed: number | undefined
  /** What the clock on the wall shows at the start: schedules go by it. */
  readonly startsAt: string | undefined
  readonly load: readonly GivenPoint[]
  readonly request: GivenRequestModel | undefined
  readonly worker: GivenWorker | undefined
  readonly host: { readonly cpus: number | undefined; readonly memoryBytes: number | undefined } | undefined
  readonly database: { readonly concurrency: number } | undefined
  readonly sessions: { readonly hotShare: number } | undefined
  readonly sockets: GivenSockets | undefined
  readonly signals: Readonly<Record<string, readonly GivenValue[]>> | undefined
  readonly replicas: GivenReplicas | undefined
  readonly objective: { readonly p95Ms: number } | undefined
  readonly faults: readonly GivenFault[] | undefined
  readonly operator: readonly GivenRequest[] | undefined
  readonly expect: Readonly<Record<string, Range | undefined>> | undefined
}

interface GivenRequestModel {
  readonly cpuMs: number
  readonly waitMs: number | undefined
  readonly queueTimeMs: number | readonly GivenValue[] | undefined
}

/** What is told at a moment. */
export interface GivenValue {
  readonly atS: number
  readonly value: number
}

export interface GivenSockets {
  readonly perRequest: number | undefined
  readonly staysS: number | undefined
  readonly memoryBytes: number | undefined
  readonly cpuMsPerSecond: number | undefined
}

interface GivenReplicas {
  readonly min: number | undefined
  readonly max: number | undefined
  readonly bootMs: number | undefined
  readonly follow: boolean | undefined
  readonly schedule: readonly ScheduleEntry[] | undefined
}

export interface GivenPoint {
  readonly atS: number
  readonly requestsPerSecond: number
  readonly step: boolean | undefined
}

export interface GivenWorker {
  readonly bootMs: number | undefined
  readonly memoryBytes: number | undefined
  readonly memoryPerRequestBytes: number | undefined
  readonly leakPerRequestBytes: number | undefined
  readonly gcEveryBytes: number | undefined
  readonly gcPauseMs: number | undefined
}

export interface GivenFault {
  readonly atS: number
  readonly kind: FaultKind
  readonly worker: 'any' | number | undefined
  readonly forS: number | undefined
}

export interface GivenRequest {
  readonly atS: number
  readonly ask: 'reload' | 'scale' | 'budget'
  readonly workers: number | 'auto' | undefined
  /** With `budget`. */
  readonly connections: number | undefined
}

export interface Range {
  readonly least: number | undefined
  readonly most: number | undefined
}

/** A month and a day. */
const LONGEST_S = 32 * 86_400
const MOST_POINTS = 1_000_000
const MOST_BYTES = 1e13
const MOST_MS = 86_400_000
const SIGNAL_NAME = "the name of a signal of the app's own, such as jobs"

const atS: Kind<number> = amount(0, LONGEST_S, `a number of seconds from 0 to ${LONGEST_S}`)
const milliseconds: Kind<number> = amount(0, MOST_MS, `a number of milliseconds from 0 to ${MOST_MS}`)
const bytes: Kind<number> = amount(0, MOST_BYTES, `a number of bytes from 0 to ${MOST_BYTES}`)

const point: Kind<GivenPoint> = fields<GivenPoint>('a point such as { "atS": 0, "requestsPerSecond": 50 }', {
  atS,
  requestsPerSecond: amount(0, 10_000_000),
  step: optional(trueOrFalse),
})

const worker: Kind<GivenWorker> = fields<GivenWorker>('an object such as { "bootMs": 1500, "memoryBytes": 90000000 }', {
  bootMs: optional(milliseconds),
  memoryBytes: optional(bytes),
  memoryPerRequestBytes: optional(bytes),
  leakPerRequestBytes: optional(bytes),
  gcEveryBytes: optional(bytes),
  gcPauseMs: optional(milliseconds),
})

const sockets: Kind<GivenSockets> = fields<GivenSockets>('an object such as { "perRequest": 1, "staysS": 600, "memoryBytes": 50000 }', {
  perRequest: optional(amount(0, 1)),
  staysS: optional(amount(1, LONGEST_S)),
  memoryBytes: optional(bytes),
  cpuMsPerSecond: optional(amount(0, 1000)),
})

const valuesOf = (kind: Kind<number>): Kind<readonly GivenValue[]> =>
  listOf(
    `a list of at most ${MOST_POINTS} points such as { "atS": 0, "value": 20 }`,
    fields<GivenValue>('a point such as { "atS": 0, "value": 20 }', { atS, value: kind }),
    MOST_POINTS,
  )

/** The name of a signal of the app's own. */
const signalName: Kind<string> = checked(text(SIGNAL_NAME, /^[^\0]*$/), (name) => (isSignalName(name) && !isBuiltIn(name) ? null : SIGNAL_NAME))

const signals: Kind<Record<string, readonly GivenValue[]>> = checked(
  mapOf('an object such as { "jobs": [ { "atS": 0, "value": 20 } ] }', signalName, valuesOf(anyNumber)),
  (given) => (Object.keys(given).length <= MOST_CUSTOM_SIGNALS ? null : `at most ${MOST_CUSTOM_SIGNALS} signals`),
)

const requestModel: Kind<GivenRequestModel> = fields<GivenRequestModel>('an object such as { "cpuMs": 4, "waitMs": 20 }', {
  cpuMs: amount(0.001, 60_000),
  waitMs: optional(milliseconds),
  queueTimeMs: optional(
    anyOf('a number of milliseconds, or a list of points such as { "atS": 0, "value": 20 }', milliseconds, valuesOf(milliseconds)),
  ),
})

const [firstKind, ...otherKinds] = Object.keys(FAULT_KINDS) as [FaultKind, ...FaultKind[]]

const fault: Kind<GivenFault> = fields<GivenFault>('a fault such as { "atS": 900, "kind": "crash", "worker": "any" }', {
  atS,
  kind: oneOf(firstKind, ...otherKinds),
  worker: optional(wordOr('any', wholeNumber(1, 1_000_000))),
  forS: optional(atS),
})

const request: Kind<GivenRequest> = fields<GivenRequest>('a request such as { "atS": 900, "ask": "reload" }', {
  atS,
  ask: oneOf('reload', 'scale', 'budget'),
  workers: optional(wordOr('auto', wholeNumber(1, 1024))),
  connections: optional(wholeNumber(1, 100_000)),
})

/** What a scenario can promise about its outcome; each is a number of the summary. */
const EXPECTED = ['changes', 'maxReady', 'maxQueue', 'sloViolationS', 'workerHours', 'cut', 'restarts', 'replicaHours', 'maxReplicas'] as const
const range: Kind<Range> = fields<Range>('an object such as { "most": 4 }', { least: optional(amount(0, 1e12)), most: optional(amount(0, 1e12)) })
const expectations = Object.fromEntries(EXPECTED.map((name) => [name, optional(range)])) as Record<string, FieldKind<Range | undefined>>

export const scenarioKind: Kind<GivenScenario> = fields<GivenScenario>('an object with durationS and load', {
  about: optional(text('a text of at most 4096 characters', /^[^\0]*$/)),
  durationS: amount(1, LONGEST_S, `a number of seconds from 1 to ${LONGEST_S}`),
  tickMs: optional(wholeNumber(100, 60_000)),
  seed: optional(wholeNumber(0, 2 ** 32 - 1)),
  startsAt: optional(text('a moment such as "2026-01-05T08:00:00Z"', /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)$/)),
  load: listOf(`a list of at most ${MOST_POINTS} points such as { "atS": 0, "requestsPerSecond": 50 }`, point, MOST_POINTS),
  request: optional(requestModel),
  worker: optional(worker),
  host: optional(
    fields('an object such as { "cpus": 8, "memoryBytes": 8000000000 }', {
      cpus: optional(amount(0.01, 1024)),
      memoryBytes: optional(amount(1e6, MOST_BYTES)),
    }),
  ),
  database: optional(fields('an object such as { "concurrency": 100 }', { concurrency: wholeNumber(1, 1_000_000) })),
  sessions: optional(fields('an object such as { "hotShare": 0.4 }', { hotShare: amount(0, 1) })),
  sockets: optional(sockets),
  signals: optional(signals),
  replicas: optional(
    fields<GivenReplicas>('an object such as { "min": 1, "max": 10, "bootMs": 60000, "follow": true }', {
      min: optional(wholeNumber(1, 10)),
      max: optional(wholeNumber(1, 10)),
      bootMs: optional(milliseconds),
      follow: optional(trueOrFalse),
      schedule: optional(listOf('a list of at most 100 entries such as { "cron": "0 8 * * 1-5", "for": "10h", "min": 3 }', scheduleEntry, 100)),
    }),
  ),
  objective: optional(fields('an object such as { "p95Ms": 500 }', { p95Ms: amount(1, MOST_MS) })),
  faults: optional(listOf('a list of at most 1000 faults', fault, 1000)),
  operator: optional(listOf('a list of at most 1000 requests', request, 1000)),
  expect: optional(fields(`an object with some of ${EXPECTED.join(', ')}`, expectations)) as FieldKind<GivenScenario['expect']>,
})
