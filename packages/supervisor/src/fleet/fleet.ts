import type { PeerAddress } from '../policy/route.ts'
import type { Decision } from '../policy/decision.ts'
import type { LatencyCounts } from '../policy/latency.ts'
import type { DatabasePlan } from '../policy/budget-plan.ts'
import type { LeaseState } from '../policy/lease.ts'
import { type Loan, firstLoan } from '../policy/loan.ts'
import { type RespawnState, calm } from '../policy/respawn.ts'
import type { Prices } from '../policy/cost.ts'
import { type Peers, type ReplicaState, type ReplicaTotals, oneReplica } from '../policy/replicas.ts'
import type { Capacity, Report, Usage } from '../policy/sample.ts'
import { type ScaleState, untouched } from '../policy/scale.ts'
import type { Limits } from '../policy/schedule.ts'
import type { DrainSettings, HealthSettings, RebalanceSettings, RestartSettings, ScalingSettings, WorkerSettings } from '../policy/settings.ts'
import type { Hold } from '../policy/window.ts'
import type { Life } from './slot.ts'
import type { LastExit } from './status.ts'

export interface FleetSettings {
  readonly workers: WorkerSettings
  readonly scaling: ScalingSettings
  readonly health: HealthSettings
  readonly restart: RestartSettings
  readonly drain: DrainSettings
  readonly capacity: Capacity
  /** Database connections; null where nobody limits them. */
  readonly database: DatabasePlan | null
  /** Null: long-lived clients stay where they are. */
  readonly rebalance: RebalanceSettings | null
  readonly prices: Prices
  /** Time between two `sampled` events. */
  readonly tickMs: number
}

/** What a worker that is gone may still have open, as far as the server has shown. */
export interface Quarantine {
  readonly workerId: number
  readonly connections: number
  readonly sinceMs: number
  /** When it last was certain that they are there. */
  readonly seenAtMs: number
}

/** What the database server was last seen to be like. */
export interface ServerSeen {
  /** A question is under way; it is answered once the server can be reached. */
  readonly isAsked: boolean
  /** Null before its first answer. */
  readonly seenAtMs: number | null
  readonly foreign: number
  readonly goneWithinMs: number | null
}

/** One worker: its place, its life, and the last that is known of it. */
export interface Worker {
  readonly id: number
  /** 0 … max-1, kept by the worker that replaces this one. */
  readonly slot: number
  readonly generation: number
  readonly life: Life
  readonly pid: number | null
  readonly forkedAtMs: number
  /** The worker that drains once this one is ready, or null. */
  readonly replaces: number | null
  /** Why it is going, for people; null while it stays. */
  readonly leaving: string | null
  readonly cpu: number | null
  readonly memoryBytes: number | null
  readonly report: Report | null
  readonly reportAtMs: number | null
  /** How long nothing was heard of it since it was ready, in time that the primary itself was running. */
  readonly silentMs: number
  /** Since when it counts as stuck; null while it does not. */
  readonly stuckAtMs: number | null
  /** An operator wants it gone; it goes as soon as another one is ready. */
  readonly drainWanted: boolean
  /** Since when SIGKILL is sent to it, how often it was, and when it is sent again; null while it is not. */
  readonly kills: { readonly sinceMs: number; readonly count: number; readonly againAtMs: number } | null
  readonly ticksAboveMemoryLimit: number
  /** When it was last asked for its health, and how often in a row it was found ill. */
  readonly probedAtMs: number
  readonly failedProbes: number
  readonly lease: LeaseState
}

/** A rolling replacement of every worker by one of a new generation. */
export interface Reload {
  readonly requestId: number
  readonly generation: number
  readonly replaced: number
}

export interface Stopping {
  readonly code: 0 | 1
  readonly message: string | null
  readonly requestedAtMs: number
  /** How often someone asked for it, 0 when it ends by itself; from the second time on it hurries. */
  readonly requests: number
}

/** A signal of the app's own that triggers wait for and no worker reports. */
export interface Unreported {
  readonly name: string
  readonly sinceMs: number
  /** From here on it has no say, and people know. */
  readonly told: boolean
}

export interface Fleet {
  readonly settings: FleetSettings
  readonly phase: 'starting' | 'running' | 'draining' | 'stopped'
  readonly nowMs: number
  readonly startedAtMs: number | null
  readonly workers: readonly Worker[]
  readonly nextWorkerId: number
  /** The generation that new workers belong to. */
  readonly generation: number
  readonly nextGeneration: number
  readonly mode: 'auto' | 'manual'
  readonly target: number
  readonly spareTarget: number
  readonly scale: ScaleState
  /** Floor and ceiling in force, and the minute of the wall clock at which they were read off the schedule. */
  readonly limits: Limits & { readonly minute: number }
  /** How long the last workers took from their fork until they were ready, newest last, bounded. */
  readonly bootsMs: readonly number[]
  readonly respawn: RespawnState
  /** The same for spares: they may fail without harm to anyone. */
  readonly spareRespawn: RespawnState
  /** Slots whose worker failed, and when the next may be forked there. */
  readonly backingOff: readonly { readonly slot: number; readonly untilMs: number }[]
  /** When a worker was last replaced for its memory. */
  readonly recycledAtMs: number | null
  readonly quarantine: readonly Quarantine[]
  readonly server: ServerSeen
  readonly reload: Reload | null
  readonly stopping: Stopping | null
  /** A `scale n` that is answered once n workers are ready. */
  readonly pendingScale: { readonly requestId: number; readonly warning: string | null } | null
  readonly sampledAtMs: number | null
  readonly usage: Usage
  /** Since when the CPU of the container is as good as used up; null while it is not. */
  readonly cpuExhaustion: Hold | null
  /** Since when there are fewer database connections than workers; null while there are enough. */
  readonly starvedSinceMs: number | null
  /** Signals of the app's own that triggers wait for in vain. */
  readonly unreported: readonly Unreported[]
  /** Response times of the last ticks, one histogram a tick, newest last. */
  readonly latencies: readonly LatencyCounts[]
  /** The same for the times before requests got here. */
  readonly queueTimes: readonly LatencyCounts[]
  /** Decisions that were news, newest last, bounded. */
  readonly decisions: readonly Decision[]
  readonly standing: Decision | null
  /** Null where this replica is alone. */
  readonly peers: Peers | null
  /** Where other replicas were when they were last heard of: while Redis is away they are there still. */
  readonly peerAddresses: readonly PeerAddress[]
  readonly loan: Loan
  readonly replicas: ReplicaState
  /** What the other replicas are told of this one; null before the first tick. */
  readonly totals: ReplicaTotals | null
  readonly restarts: number
  /** Answered by all workers that there ever were, as far as they have reported. */
  readonly requestsTotal: number
  /** Where the chance of this fleet begins, from 0 up to 1: each restart draws the next. Null draws none. */
  readonly chance: number | null
  readonly lastExit: LastExit | null
}

export function initialFleet(settings: FleetSettings, chance: number | null = null): Fleet {
  return {
    settings,
    phase: 'starting',
    nowMs: 0,
    startedAtMs: null,
    workers: [],
    nextWorkerId: 1,
    generation: 1,
    nextGeneration: 2,
    mode: 'auto',
    target: settings.workers.min,
    spareTarget: 0,
    scale: untouched,
    limits: { min: settings.workers.min, max: settings.workers.max, minute: 0 },
    bootsMs: [],
    respawn: calm,
    spareRespawn: calm,
    backingOff: [],
    recycledAtMs: null,
    quarantine: [],
    server: { isAsked: false, seenAtMs: null, foreign: 0, goneWithinMs: null },
    reload: null,
    stopping: null,
    pendingScale: null,
    sampledAtMs: null,
    usage: { cpus: null, memoryBytes: null },
    cpuExhaustion: null,
    starvedSinceMs: null,
    unreported: [],
    latencies: [],
    queueTimes: [],
    decisions: [],
    standing: null,
    peers: null,
    peerAddresses: [],
    loan: firstLoan(settings.database),
    replicas: oneReplica,
    totals: null,
    restarts: 0,
    requestsTotal: 0,
    chance,
    lastExit: null,
  }
}
