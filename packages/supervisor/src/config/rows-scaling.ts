import type { PolicyFunction } from '../policy/advice.ts'
import type { Rate, Trigger } from '../policy/settings.ts'
import {
  type Kind,
  aFunction,
  amount,
  anyNumber,
  as,
  duration,
  fields,
  listOf,
  oneOf,
  optional,
  orFalse,
  ratio,
  trueOrFalse,
  wholeNumber,
  wordOr,
} from './kind.ts'
import type { Row } from './row.ts'
import { MAX_WORKERS } from './rows-life.ts'
import { scheduleEntry } from './schedule.ts'
import type { Rows, ScalingValues, Side, SignalName, SurgeValue } from './values.ts'
import { formatMs, readMs } from './units.ts'

const held = duration('0ms', '1d')
const delay = duration('0ms', '1h')
const requests = amount(0, 1_000_000)

interface GivenTrigger {
  readonly threshold: number | undefined
  readonly forMs: number | undefined
}

/** `above` for growing, `below` for shrinking. */
export const triggerWord = (side: Side): 'above' | 'below' => (side === 'up' ? 'above' : 'below')

function given(side: Side, threshold: Kind<number>): Kind<GivenTrigger> {
  const word = triggerWord(side)
  const shape: Record<string, Kind<number | undefined>> = { [word]: optional(threshold), for: optional(held) }
  const kind = fields<Record<string, number | undefined>>(`an object such as { ${word}: …, for: "60s" }`, shape)
  return as(kind, (value) => ({ threshold: value[word], forMs: value['for'] }))
}

function signal(
  side: Side,
  what: string,
  threshold: Kind<number>,
  initial: number | string,
  initialFor: string,
  isOff: boolean,
): Row<Trigger | null> {
  const standard = { threshold: readMs(initial) as number, forMs: readMs(initialFor) as number }
  const kind = as(given(side, threshold), ({ threshold: limit, forMs }) => ({
    threshold: limit ?? standard.threshold,
    forMs: forMs ?? standard.forMs,
  }))
  const meaning = side === 'up' ? `Grow when ${what} is above this for so long` : `Shrink only when ${what} is below this for so long`
  return { kind: orFalse(kind), initial: isOff ? false : { [triggerWord(side)]: initial, for: initialFor }, meaning }
}

/** What each signal measures, its threshold's kind, and its two defaults. */
const SIGNALS: Readonly<Record<SignalName, readonly [what: string, Kind<number>, up: number | string, upFor: string, down: number | string]>> = {
  cpu: ["a worker's share of one core (mean)", ratio, 0.7, '60s', 0.3],
  memory: ["a worker's memory over `workers.memoryLimit` (mean)", ratio, 0.8, '60s', 0.4],
  queue: ['the number of requests in a worker not yet answered (mean)', requests, 100, '30s', 10],
  p95: ['the 95th percentile of response times of the whole fleet', delay, '2s', '120s', '500ms'],
  eventLoopDelay: ['the 99th percentile of the event-loop delay (mean)', delay, '100ms', '30s', '20ms'],
  eventLoopUtilization: ['event-loop utilisation (mean)', ratio, 0.8, '30s', 0.3],
  queueTime: ['the 95th percentile of the time a request waited before it got here (`routing.trustedProxies`)', delay, '500ms', '30s', '100ms'],
}

/** Only where a proxy can tell. */
const OFF: ReadonlySet<SignalName> = new Set(['queueTime'])

export const signalNames: readonly SignalName[] = Object.keys(SIGNALS) as SignalName[]

function signalRows<S extends Side>(side: S): Rows<Record<`scaling.${S}.${SignalName}`, Trigger | null>> {
  const rows = signalNames.map((name) => {
    const [what, threshold, up, upFor, down] = SIGNALS[name]
    const row = side === 'up' ? signal(side, what, threshold, up, upFor, OFF.has(name)) : signal(side, what, threshold, down, '300s', OFF.has(name))
    return [`scaling.${side}.${name}`, row]
  })
  return Object.fromEntries(rows) as Rows<Record<`scaling.${S}.${SignalName}`, Trigger | null>>
}

/** Signals that the application reports under a name of its own; only it knows their unit. */
export function customSignal(side: Side): Kind<Trigger | null> {
  const word = triggerWord(side)
  const standardForMs = side === 'up' ? 60_000 : 300_000
  const shape: Record<string, Kind<number | undefined>> = { [word]: anyNumber, for: optional(held) }
  const kind = fields<Record<string, number | undefined>>(`an object such as { ${word}: 100, for: "${formatMs(standardForMs)}" }`, shape)
  return orFalse(as(kind, (value) => ({ threshold: value[word] as number, forMs: value['for'] ?? standardForMs })))
}

interface GivenSurge {
  readonly eventLoopUtilization: number | null | undefined
  readonly queue: number | null | undefined
  readonly for: number | undefined
}

const surgeFields = fields<GivenSurge>('an object such as { eventLoopUtilization: 0.95, queue: 300, for: "2s" }', {
  eventLoopUtilization: optional(orFalse(ratio)),
  queue: optional(orFalse(requests)),
  for: optional(held),
})

const surge: Kind<SurgeValue | null> = orFalse(
  as(
    surgeFields,
    (value): SurgeValue => ({
      eventLoopUtilization: value.eventLoopUtilization === undefined ? 0.95 : value.eventLoopUtilization,
      queue: value.queue === undefined ? 'auto' : value.queue,
      forMs: value.for ?? 2000,
    }),
  ),
)

const cooldown = duration('0ms', '1d')
/** A wider band would leave no signal that could ever be above its threshold. */
const WIDEST_TOLERANCE = 0.2

const rate: Kind<Rate | null> = orFalse(
  as(
    fields<{ readonly workers: number; readonly per: number | undefined }>('an object such as { workers: 4, per: "60s" }', {
      workers: wholeNumber(1, MAX_WORKERS),
      per: optional(duration('1s', '1h')),
    }),
    ({ workers, per }): Rate => ({ workers, perMs: per ?? 60_000 }),
  ),
)
const step = wholeNumber(1, MAX_WORKERS)

export const scalingRows: Rows<ScalingValues> = {
  'scaling.preset': {
    kind: oneOf('seed', 'responsive', 'frugal'),
    initial: 'seed',
    meaning: 'Where the other defaults of `scaling` come from (the table below); what is given goes first',
  },
  ...signalRows('up'),
  ...signalRows('down'),
  'scaling.cooldown.up': { kind: cooldown, initial: '60s', meaning: 'No growth so soon after the last growth' },
  'scaling.cooldown.down': { kind: cooldown, initial: '300s', meaning: 'No shrinking so soon after the last change' },
  'scaling.step.up': {
    kind: wordOr('proportional', step),
    initial: 'proportional',
    meaning: 'Workers added at once; `proportional` to how far the signal is above its threshold, at most doubling',
  },
  'scaling.step.down': { kind: step, initial: 1, meaning: 'Workers let go at once, except for what a surge has added' },
  'scaling.rate.up': {
    kind: rate,
    shown: 'none',
    meaning: 'At most so many workers are added in any time of that length (60s), in the surge lane too',
  },
  'scaling.rate.down': { kind: rate, shown: 'none', meaning: 'At most so many workers are let go in any time of that length (60s)' },
  'scaling.tolerance': {
    kind: amount(0, WIDEST_TOLERANCE, `a ratio from 0 to ${WIDEST_TOLERANCE}, such as 0.1 for 10 %`),
    initial: 0,
    meaning: 'Moves every threshold outwards by this part of it: growth begins so much above, shrinking so much below',
  },
  'scaling.flapPenalty': {
    kind: trueOrFalse,
    initial: true,
    meaning: 'Growth soon after shrinking doubles the cooldown of shrinking, up to 8 times; time without it takes that back',
  },
  'scaling.predict': {
    kind: trueOrFalse,
    initial: false,
    meaning: 'Workers are forked before a load that rises needs them, as early as they take to boot; nothing is done for a fall that is foretold',
  },
  'scaling.warmUp': {
    kind: duration('0ms', '10m'),
    initial: '0ms',
    meaning: 'For so long a new worker counts as not quite there: its CPU and event loop in part, and nothing shrinks',
  },
  'scaling.surge': {
    kind: surge,
    initial: {},
    shown: '{ eventLoopUtilization: 0.95, queue: 3 × its up threshold, for: "2s" }',
    meaning: 'The emergency lane: either signal that high for so long ignores windows and cooldown',
  },
  'scaling.schedule': {
    kind: listOf('a list of at most 100 entries such as { cron: "0 8 * * 1-5", for: "10h", min: 4 }', scheduleEntry, 100),
    initial: [],
    meaning: 'Floors and ceilings for hours of the day: `{ cron, timezone, min, max, until \\| for }`',
  },
  'scaling.policy': {
    kind: orFalse(aFunction<PolicyFunction>('a function that answers a number of workers, or null')),
    shown: 'none',
    meaning:
      'Your own: called every second with sizes and signals, in code only; `null` leaves it to the rules above. Clamped to floor, ceiling, rates and capacity',
    codeOnly: true,
  },
  'scaling.mode': {
    kind: oneOf('auto', 'shadow'),
    initial: 'auto',
    meaning: '`shadow` decides and explains, but never acts',
    flag: '--shadow',
  },
}
