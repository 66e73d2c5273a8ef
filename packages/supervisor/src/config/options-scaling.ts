import type { PolicyFunction } from '../policy/advice.ts'

type Duration = number | string

/** Holds while the signal is above the threshold; counts once it has held for that long. What is left out keeps its default. */
interface UpTrigger<Threshold = number> {
  above?: Threshold
  for?: Duration
}

/** Holds while the signal is below the threshold; counts once it has held for that long. What is left out keeps its default. */
interface DownTrigger<Threshold = number> {
  below?: Threshold
  for?: Duration
}

/** The fleet grows if any of these held its time. `false` switches a signal off. Other names are signals that the app reports itself, by `reportSignal()` of `stationmaster/worker`. */
interface UpTriggers {
  /** A worker's share of one core, 0..1, mean over ready workers. Default `{ above: 0.7, for: '60s' }`. */
  cpu?: UpTrigger | false
  /** A worker's memory over `workers.memoryLimit`, 0..1, mean. Default `{ above: 0.8, for: '60s' }`. */
  memory?: UpTrigger | false
  /** Requests received and not yet answered, per worker, mean. Default `{ above: 100, for: '30s' }`. */
  queue?: UpTrigger | false
  /** 95th percentile of response times, of the whole fleet. Default `{ above: '2s', for: '120s' }`. */
  p95?: UpTrigger<Duration> | false
  /** 95th percentile of the time a request waited before it got here, as `routing.trustedProxies` tell it. Default false; `{}` is `{ above: '500ms', for: '30s' }`. */
  queueTime?: UpTrigger<Duration> | false
  /** 99th percentile of the event-loop delay, mean. Default `{ above: '100ms', for: '30s' }`. */
  eventLoopDelay?: UpTrigger<Duration> | false
  /** 0..1, mean. Default `{ above: 0.8, for: '30s' }`. */
  eventLoopUtilization?: UpTrigger | false
  [custom: string]: UpTrigger<Duration> | false | undefined
}

/** The fleet shrinks only if all of these held their time. `false` switches a signal off. */
interface DownTriggers {
  /** Default `{ below: 0.3, for: '300s' }`. */
  cpu?: DownTrigger | false
  /** Default `{ below: 0.4, for: '300s' }`. */
  memory?: DownTrigger | false
  /** Default `{ below: 10, for: '300s' }`. */
  queue?: DownTrigger | false
  /** Default `{ below: '500ms', for: '300s' }`. */
  p95?: DownTrigger<Duration> | false
  /** Default false; `{}` is `{ below: '100ms', for: '300s' }`. */
  queueTime?: DownTrigger<Duration> | false
  /** Default `{ below: '20ms', for: '300s' }`. */
  eventLoopDelay?: DownTrigger<Duration> | false
  /** Default `{ below: 0.3, for: '300s' }`. */
  eventLoopUtilization?: DownTrigger | false
  [custom: string]: DownTrigger<Duration> | false | undefined
}

/** A floor or a ceiling (or both) from each time that `cron` comes true until `until` does, or for as long as `for` says. */
type ScheduleOption = {
  /** Five fields (or six, seconds first): `'0 8 * * 1-5'`. */
  cron: string
  /** `'Europe/Berlin'`. Default `'UTC'`. */
  timezone?: string
  min?: number
  max?: number
} & ({ until: string; for?: never } | { for: Duration; until?: never })

interface RateOption {
  workers: number
  per?: Duration
}

interface SurgeOptions {
  /** 0..1, mean over ready workers. Default 0.95. */
  eventLoopUtilization?: number | false
  /** Requests per worker, mean. Default: 3 × `up.queue.above`. */
  queue?: number | false
  /** Default `'2s'`. */
  for?: Duration
}

export interface ScalingOptions {
  /** Where the other defaults come from; what is given goes first. Those named in these comments are of `'seed'`, the default. */
  preset?: 'seed' | 'responsive' | 'frugal'
  up?: UpTriggers
  down?: DownTriggers
  cooldown?: {
    /** No growth so soon after the last growth. Default `'60s'`. */
    up?: Duration
    /** No shrinking so soon after the last change. Default `'300s'`. */
    down?: Duration
  }
  step?: {
    /** Workers added at once. Default `'proportional'` to how far the signal is above its threshold, at most doubling. */
    up?: 'proportional' | number
    /** Workers let go at once. Default 1. */
    down?: number
  }
  rate?: {
    /** At most so many workers are added in any time of that length (default `'60s'`), in the surge lane too. Default none. */
    up?: RateOption | false
    /** At most so many workers are let go in any time of that length (default `'60s'`). Default none. */
    down?: RateOption | false
  }
  /** Moves every threshold outwards by this part of it, 0..0.2: growth begins so much above, shrinking so much below. Default 0. */
  tolerance?: number
  /** Growth soon after shrinking doubles the cooldown of shrinking, up to 8 times; time without it takes that back. Default true. */
  flapPenalty?: boolean
  /** Workers are forked before a load that rises needs them, as early as they take to boot; nothing is done for a fall that is foretold. Default false. */
  predict?: boolean
  /** For so long a new worker counts as not quite there: its CPU and event loop in part, and nothing shrinks. Default `'0ms'`. */
  warmUp?: Duration
  /** The emergency lane: either signal that high for so long ignores windows and cooldown. `false` closes it. */
  surge?: SurgeOptions | false
  /** Floors and ceilings for hours of the day. Default none. */
  schedule?: readonly ScheduleOption[]
  /**
   * A policy of your own, asked every second; null leaves it to the rules above. It decides within floor, ceiling, rates and capacity; one that throws or
   * answers nonsense is told of, and the rules above go on. Not in JSON. Default none.
   */
  policy?: PolicyFunction | false
  /** `'shadow'` decides and explains, but never acts. Default `'auto'`. */
  mode?: 'auto' | 'shadow'
}
