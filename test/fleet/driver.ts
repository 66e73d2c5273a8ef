import type { Command } from '../../packages/supervisor/src/fleet/command.ts'
import type { FleetEvent } from '../../packages/supervisor/src/fleet/event.ts'
import { type Fleet, type FleetSettings, type Worker, initialFleet } from '../../packages/supervisor/src/fleet/fleet.ts'
import { brokenInvariants } from '../../packages/supervisor/src/fleet/invariants.ts'
import type { Note } from '../../packages/supervisor/src/fleet/note.ts'
import { step } from '../../packages/supervisor/src/fleet/step.ts'
import type { DatabasePlan } from '../../packages/supervisor/src/policy/budget-plan.ts'
import type { Report, Sample } from '../../packages/supervisor/src/policy/sample.ts'
import { expect } from 'vitest'
import { defaultScaling } from '../policy/settings.ts'

type Unstamped<Event> = Event extends unknown ? Omit<Event, 'nowMs'> : never
type NewEvent = Unstamped<FleetEvent>
type Overrides = { readonly [Part in keyof FleetSettings]?: Partial<FleetSettings[Part]> }

export const MB = 1024 * 1024

/** The defaults of the contract in a roomy container of 10 cores; no spares unless asked for. */
export function fleetSettings(overrides: Overrides = {}): FleetSettings {
  return {
    workers: {
      min: 1,
      max: 10,
      oversubscribe: false,
      spares: 0,
      memoryLimitBytes: 500 * MB,
      readyWhen: 'listening',
      bootTimeoutMs: 30_000,
      ...overrides.workers,
    },
    scaling: { ...defaultScaling, ...overrides.scaling },
    health: { path: null, intervalMs: 30_000, timeoutMs: 5000, unhealthyThreshold: 3, stuckAfterMs: 10_000, ...overrides.health },
    restart: { intensity: 5, windowMs: 60_000, backoffMs: 100, backoffMaxMs: 15_000, ...overrides.restart },
    drain: { timeoutMs: 30_000, stopDeadlineMs: null, ...overrides.drain },
    capacity: { cpus: 10, memoryBytes: 10_000 * MB, source: 'host', ...overrides.capacity },
    database: (overrides.database as DatabasePlan | undefined) ?? null,
    rebalance: null,
    prices: { perReplicaMonth: 20, fixedMonth: 20, budgetMonth: null, ...overrides.prices },
    tickMs: 1000,
  }
}

export function reportOf(fields: Partial<Report> = {}): Report {
  return {
    intervalMs: 1000,
    eventLoopUtilization: 0.1,
    eventLoopDelayP99Ms: 5,
    queue: 0,
    requests: 10,
    connections: 0,
    sockets: 0,
    latencies: [],
    queueTimes: [],
    database: null,
    signals: {},
    ...fields,
  }
}

export interface TickFields extends Partial<Omit<Sample, 'workerId'>> {
  readonly silent?: readonly number[]
  /** Resident memory by worker id, where it differs. */
  readonly memoryOf?: Readonly<Record<number, number>>
  /** Shares of a core by worker id, where they differ. */
  readonly cpuOf?: Readonly<Record<number, number>>
  /** CPUs in use in the whole container. */
  readonly usedCpus?: number | null
  /** The wall clock, where it differs from the primary's running time. */
  readonly wallMs?: number
}

/** Feeds a fleet by hand: every event is checked against the invariants, and no step may report a bug of the supervisor. */
export class Driver {
  fleet: Fleet
  nowMs = 1_000_000
  readonly commands: Command[] = []
  readonly notes: Note[] = []
  readonly events: FleetEvent[] = []
  readonly initial: Fleet
  #lastPid = 100

  constructor(settings: FleetSettings = fleetSettings(), chance: number | null = null) {
    this.initial = initialFleet(settings, chance)
    this.fleet = this.initial
  }

  send(event: NewEvent, afterMs = 0): this {
    this.nowMs += afterMs
    const stamped = { ...event, nowMs: this.nowMs } as FleetEvent
    this.events.push(stamped)
    const next = step(this.fleet, stamped)
    this.fleet = next.fleet
    this.commands.push(...next.commands)
    this.notes.push(...next.notes)
    expect(brokenInvariants(this.fleet)).toEqual([])
    expect(next.notes.filter((note) => note.kind === 'supervisor:bug')).toEqual([])
    return this
  }

  /** Everything that boots gets its pid and is ready. */
  bootAll(afterMs = 100): this {
    for (const worker of this.workers('booting')) this.ready(worker.id, afterMs)
    return this
  }

  ready(workerId: number, afterMs = 100): this {
    this.send({ kind: 'forked', workerId, pid: ++this.#lastPid })
    return this.send({ kind: 'readied', workerId }, afterMs)
  }

  /** Everything that drains or is killed goes. */
  leaveAll(): this {
    for (const worker of [...this.workers('draining'), ...this.workers('killing')]) this.exit(worker.id, { code: 0 })
    return this
  }

  exit(workerId: number, fields: { code?: number | null; signal?: string | null; lastStderrLines?: readonly string[] } = {}): this {
    return this.send({ kind: 'exited', workerId, code: 1, signal: null, cause: null, lastStderrLines: [], ...fields })
  }

  /** One tick: every ready worker or spare reports `report`, except the silent ones. */
  tick(
    { cpu = 0.1, memoryBytes = 80 * MB, report = reportOf(), silent = [], memoryOf = {}, cpuOf = {}, usedCpus = 1, wallMs }: TickFields = {},
    afterMs = 1000,
  ): this {
    const samples = this.fleet.workers.map(({ id, life }): Sample => {
      const reports = (life.kind === 'ready' || life.kind === 'spare') && !silent.includes(id)
      return { workerId: id, cpu: cpuOf[id] ?? cpu, memoryBytes: memoryOf[id] ?? memoryBytes, report: reports ? report : null }
    })
    const usage = { cpus: usedCpus, memoryBytes: 500 * MB }
    return this.send({ kind: 'sampled', wallMs: wallMs ?? this.nowMs + afterMs, samples, usage }, afterMs)
  }

  workers(kind: Worker['life']['kind']): readonly Worker[] {
    return this.fleet.workers.filter((worker) => worker.life.kind === kind)
  }

  ids(kind: Worker['life']['kind']): number[] {
    return this.workers(kind).map((worker) => worker.id)
  }

  commandsOf<Kind extends Command['kind']>(kind: Kind): Extract<Command, { kind: Kind }>[] {
    return this.commands.filter((command): command is Extract<Command, { kind: Kind }> => command.kind === kind)
  }

  notesOf<Kind extends Note['kind']>(kind: Kind): Extract<Note, { kind: Kind }>[] {
    return this.notes.filter((note): note is Extract<Note, { kind: Kind }> => note.kind === kind)
  }
}

/** A fleet that runs with `size` workers, set by hand where it is not `min`. */
export function running(size: number, overrides: Overrides = {}): Driver {
  const driver = new Driver(fleetSettings({ ...overrides, workers: { min: size, ...overrides.workers } })).send({ kind: 'started' })
  for (let rounds = 0; driver.workers('ready').length < size && rounds < size; rounds++) driver.bootAll()
  expect(driver.fleet.phase).toBe('running')
  return driver
}
