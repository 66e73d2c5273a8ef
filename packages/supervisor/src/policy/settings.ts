/** One threshold with the time it must hold. Latencies and delays in milliseconds, ratios 0..1. */
export interface Trigger {
  readonly threshold: number
  readonly forMs: number
}

/** At most so many workers in any time of that length. */
export interface Rate {
  readonly workers: number
  readonly perMs: number
}

/** Long-lived clients are asked to move to workers that have fewer, each at most once in this time. */
export interface RebalanceSettings {
  readonly intervalMs: number
}

export interface SurgeSettings {
  /** Event-loop utilisation above which the surge lane opens. */
  readonly eventLoopUtilization: number
  /** Requests in flight per worker at or above which the surge lane opens. */
  readonly queue: number
  readonly forMs: number
}

/** A floor or ceiling for some hours. */
export interface ScheduleEntry {
  readonly cron: string
  readonly timezone: string
  readonly min: number | null
  readonly max: number | null
  /** Cron expression at which the entry ends, or null when `forMs` says how long it lasts. */
  readonly until: string | null
  readonly forMs: number | null
}

export interface ScalingSettings {
  readonly mode: 'auto' | 'shadow'
  /** Triggers by signal name; a signal that is switched off is absent. */
  readonly up: Readonly<Record<string, Trigger>>
  readonly down: Readonly<Record<string, Trigger>>
  readonly cooldownUpMs: number
  readonly cooldownDownMs: number
  readonly stepUp: 'proportional' | number
  readonly stepDown: number
  readonly rateUp: Rate | null
  readonly rateDown: Rate | null
  /** Growth soon after shrinking lengthens the next cooldowns of shrinking. */
  readonly flapPenalty: boolean
  /** A new worker's CPU and event loop count in part until it has served so long. */
  readonly warmUpMs: number
  /** Fork from the trend of the load what it will need once a worker forked now could serve. */
  readonly predict: boolean
  readonly surge: SurgeSettings | null
  readonly schedule: readonly ScheduleEntry[]
  /** Signals that make idle workers no more: those that count a wait whatever it is for, unless the user has said at how much of it to grow. */
  readonly heldWhileIdle: readonly string[]
}

export interface WorkerSettings {
  readonly min: number
  readonly max: number
  readonly oversubscribe: boolean
  readonly spares: 'auto' | number
  readonly memoryLimitBytes: number
  readonly readyWhen: 'listening' | 'ready'
  readonly bootTimeoutMs: number
}

export interface HealthSettings {
  readonly path: string | null
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly unhealthyThreshold: number
  readonly stuckAfterMs: number
}

export interface RestartSettings {
  /** Unexpected exits allowed within `windowMs`; one more ends the supervisor. */
  readonly intensity: number
  readonly windowMs: number
  readonly backoffMs: number
  readonly backoffMaxMs: number
}

export interface DrainSettings {
  readonly timeoutMs: number
  /** Time the platform leaves between its SIGTERM and its SIGKILL, margin already taken off; null where there is none. */
  readonly stopDeadlineMs: number | null
}
