import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { FleetEvent } from '../../packages/supervisor/src/fleet/event.ts'
import { type Fleet, initialFleet } from '../../packages/supervisor/src/fleet/fleet.ts'
import { brokenInvariants } from '../../packages/supervisor/src/fleet/invariants.ts'
import { replay } from '../../packages/supervisor/src/fleet/replay.ts'
import { type Step, step, wakeAtMs } from '../../packages/supervisor/src/fleet/step.ts'
import { viewOf } from '../../packages/supervisor/src/fleet/view.ts'
import { planBudget } from '../../packages/supervisor/src/policy/budget-plan.ts'
import { fleetSettings, reportOf } from './driver.ts'

/** Numbers as a broken edge might hand them on. */
const garbage = fc.oneof(fc.double(), fc.constantFrom(0, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_VALUE, 1e9, 0.5))
const maybe = (value: fc.Arbitrary<number>): fc.Arbitrary<number | null> => fc.option(value, { nil: null })
const workerId = fc.integer({ min: -1, max: 14 })

const report = fc
  .record({ eventLoopUtilization: garbage, eventLoopDelayP99Ms: garbage, queue: garbage, connections: garbage, sockets: garbage })
  .map(reportOf)
const sample = fc.record({ workerId, cpu: maybe(garbage), memoryBytes: maybe(garbage), report: fc.option(report, { nil: null }) })
const usage = fc.oneof(fc.constant({ cpus: 1, memoryBytes: 5e8 }), fc.record({ cpus: maybe(garbage), memoryBytes: maybe(garbage) }))

const hostileEvent = fc.oneof(
  fc.constantFrom({ kind: 'started' }, { kind: 'woken' }, { kind: 'reloadRequested', requestId: 7 }),
  fc.record({ kind: fc.constant('forked'), workerId, pid: fc.integer({ min: 1, max: 9 }) }),
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('readied', 'readied', 'hello'), workerId }) },
  fc.record({ kind: fc.constant('forkFailed'), workerId, message: fc.constant('EAGAIN') }),
  fc.record({ kind: fc.constant('drained'), workerId, cutConnections: fc.nat(9), cutRequests: fc.nat(9) }),
  fc.record({ kind: fc.constant('diagnosed'), workerId, reportPath: fc.constant(null) }),
  fc.record({ kind: fc.constant('probed'), workerId, healthy: fc.boolean(), detail: fc.constant('') }),
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('sampled'), samples: fc.array(sample, { maxLength: 12 }), usage }) },
  fc.record({
    kind: fc.constant('scaleRequested'),
    requestId: fc.nat(9),
    workers: fc.oneof(fc.integer({ min: -2, max: 12 }), garbage, fc.constant('auto')),
  }),
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('leaseUsed'),
      workerId,
      sequence: fc.nat(6),
      holds: fc.nat(40),
      inUse: fc.nat(40),
      waiting: fc.nat(200),
      external: fc.nat(3),
    }),
  },
  fc.record({
    kind: fc.constant('backendsSeen'),
    askedAtMs: fc.constantFrom(0, 1e12),
    backends: fc.array(fc.record({ workerId: fc.nat(20), connections: fc.nat(5) }), { maxLength: 3 }),
    starting: fc.constantFrom(0, 0, 3),
    foreign: fc.nat(9),
    goneWithinMs: fc.constantFrom(null, 2000),
  }),
  fc.record({ kind: fc.constant('drainRequested'), requestId: fc.nat(9), workerId }),
  fc.record({
    kind: fc.constant('exited'),
    workerId,
    code: maybe(fc.integer({ min: 0, max: 2 })),
    signal: fc.constant(null),
    cause: fc.constant(null),
    lastStderrLines: fc.constant([]),
  }),
)
const ending = fc.oneof(fc.constant({ kind: 'stopRequested', reason: 'test' }), fc.constant({ kind: 'fatal', message: 'test' }))
/** Milliseconds since the event before; the clock may also go back. */
const pause = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 3000 }) },
  { weight: 1, arbitrary: fc.integer({ min: -60_000, max: 600_000 }) },
)

const settings = fc
  .record({
    min: fc.integer({ min: 1, max: 3 }),
    max: fc.integer({ min: 3, max: 5 }),
    spares: fc.constantFrom('auto' as const, 0, 1, 2),
    cpus: fc.integer({ min: 1, max: 6 }),
    budget: fc.constantFrom(null, 8, 24),
  })
  .map(({ min, max, spares, cpus, budget }) =>
    fleetSettings({
      ...(budget === null ? {} : { database: planBudget({ budget, reserve: 1, minPerWorker: 2, replicas: 1, minWorkers: min }) }),
      workers: { min, max, spares },
      capacity: { cpus },
      health: { path: '/health', intervalMs: 2000, stuckAfterMs: 2500, unhealthyThreshold: 2 },
      restart: { intensity: 60 },
    }),
  )

/**
 * Gives a template its time, and turns worker numbers into places in the present fleet, so that most events meet somebody:
 * 13 and above, and below 0, stay what they are, which is nobody.
 */
function concrete(template: object, nowMs: number, fleet: Fleet): FleetEvent {
  const idOf = (id: number): number => (id < 0 || id > 12 ? id + 1000 : (fleet.workers[id % Math.max(1, fleet.workers.length)]?.id ?? id))
  const event = { ...template, nowMs } as FleetEvent
  if (event.kind === 'sampled') return { ...event, samples: event.samples.map((each) => ({ ...each, workerId: idOf(each.workerId) })) }
  return 'workerId' in event ? { ...event, workerId: idOf(event.workerId) } : event
}

type Steps = readonly (readonly [object, number])[]

/** Runs templates from `start`; `see` gets each event before it is taken, and what came of it. */
function run(
  start: Fleet,
  steps: Steps,
  see: (event: FleetEvent, next: Step, before: Fleet) => void = () => {},
): { fleet: Fleet; events: FleetEvent[] } {
  let fleet = start
  let nowMs = 1_000_000
  const events = steps.map(([template, pauseMs], index) => {
    nowMs += pauseMs
    const event = concrete('requestId' in template ? { ...template, requestId: index } : template, nowMs, fleet)
    const next = step(fleet, event)
    see(event, next, fleet)
    fleet = next.fleet
    return event
  })
  return { fleet, events }
}

/** Everything that may be open now, in whatever process, alive or dead. */
function connectionsOut({ workers, quarantine }: Fleet): number {
  const held = workers.reduce((sum, { lease }) => sum + lease.held, 0)
  return held + quarantine.reduce((sum, { connections }) => sum + connections, 0)
}

const sequence = fc.array(fc.tuple(fc.oneof({ weight: 60, arbitrary: hostileEvent }, { weight: 1, arbitrary: ending }), pause), {
  minLength: 50,
  maxLength: 250,
})

test('no sequence of events, in any order, of unknown workers, with numbers that are none and a clock that jumps, breaks an invariant', () => {
  fc.assert(
    fc.property(settings, sequence, (fleetSettings, steps) => {
      const { fleet } = run(initialFleet(fleetSettings), steps, (_, next) => {
        expect(brokenInvariants(next.fleet)).toEqual([])
        expect(connectionsOut(next.fleet)).toBeLessThanOrEqual(next.fleet.settings.database?.available ?? 0)
        const wakeMs = wakeAtMs(next.fleet)
        // A wake that lies in the past would make the edge spin.
        if (wakeMs !== null) expect(wakeMs).toBeGreaterThan(next.fleet.nowMs)
      })
      expect(JSON.stringify(viewOf(fleet, fleet.nowMs))).toBeTypeOf('string')
    }),
    { numRuns: 400 },
  )
}, 120_000)

test('these sequences reach every state, command and turn of a fleet', () => {
  const seen = new Set<string>()
  fc.assert(
    fc.property(settings, sequence, (fleetSettings, steps) => {
      run(initialFleet(fleetSettings), steps, (_, next) => {
        for (const worker of next.fleet.workers) seen.add(worker.life.kind)
        for (const { kind } of [...next.commands, ...next.notes]) seen.add(kind)
      })
    }),
    { numRuns: 900, seed: 1 },
  )
  expect([...LIVES, ...COMMANDS, ...TURNS].filter((kind) => !seen.has(kind))).toEqual([])
}, 120_000)

const LIVES = ['booting', 'spare', 'ready', 'draining', 'killing']
const TURNS = ['reload:done', 'reload:aborted', 'worker:stuck', 'worker:unhealthy', 'fleet:restarting', 'fleet:scaled', 'fleet:stopped']
const COMMANDS = ['fork', 'promote', 'drain', 'kill', 'diagnose', 'probe', 'answer', 'exit', 'lease', 'askBackends']

test('a recording replays to the same fleet, notes and decisions, byte for byte, from its start and from its middle', () => {
  fc.assert(
    fc.property(settings, sequence, (fleetSettings, steps) => {
      const start = initialFleet(fleetSettings)
      const { events } = run(start, steps)
      const whole = replay({ start, events })
      expect(JSON.stringify(replay({ start, events }))).toBe(JSON.stringify(whole))
      const middle = Math.floor(events.length / 2)
      const halfway = replay({ start, events: events.slice(0, middle) })
      const rest = replay({ start: halfway.fleet, events: events.slice(middle) })
      expect(JSON.stringify([...halfway.notes, ...rest.notes])).toBe(JSON.stringify(whole.notes))
      expect(JSON.stringify(rest.fleet)).toBe(JSON.stringify(whole.fleet))
    }),
    { numRuns: 40 },
  )
}, 120_000)

test('a step never changes the fleet it was given', () => {
  fc.assert(
    fc.property(settings, sequence, (fleetSettings, steps) => {
      let written = JSON.stringify(initialFleet(fleetSettings))
      run(initialFleet(fleetSettings), steps, (_, next, before) => {
        expect(JSON.stringify(before)).toBe(written)
        written = JSON.stringify(next.fleet)
      })
    }),
    { numRuns: 15 },
  )
}, 120_000)

const gone = (workerId: number, nowMs: number): FleetEvent => ({
  kind: 'exited',
  workerId,
  code: null,
  signal: 'SIGKILL',
  cause: null,
  lastStderrLines: [],
  nowMs,
})

test('every request of an operator is answered exactly once, whatever happens, once the fleet has stopped', () => {
  fc.assert(
    fc.property(settings, sequence, (fleetSettings, steps) => {
      const asked: number[] = []
      const answered: number[] = []
      const see = (event: FleetEvent, next: Step): void => {
        if ('requestId' in event) asked.push(event.requestId)
        for (const command of next.commands) if (command.kind === 'answer') answered.push(command.requestId)
      }
      let { fleet } = run(initialFleet(fleetSettings), steps, see)
      const { nowMs } = fleet
      const rest: FleetEvent[] = [{ kind: 'stopRequested', reason: 'test', nowMs }, ...fleet.workers.map(({ id }) => gone(id, nowMs))]
      for (const event of rest) {
        const next = step(fleet, event)
        see(event, next)
        fleet = next.fleet
      }
      expect(fleet.phase).toBe('stopped')
      expect(answered.sort((a, b) => a - b)).toEqual(asked)
    }),
    { numRuns: 80 },
  )
}, 120_000)

test('stop wins: from any state the fleet ends by its deadline, though nobody leaves but those that are killed', () => {
  fc.assert(
    fc.property(settings, sequence, (fleetSettings, steps) => {
      let { fleet } = run(initialFleet(fleetSettings), steps)
      if (fleet.phase === 'stopped') return
      const askedAtMs = fleet.nowMs
      const killed = fleet.workers.filter((worker) => worker.life.kind === 'killing').map((worker) => worker.id)
      let event: FleetEvent = { kind: 'stopRequested', reason: 'test', nowMs: askedAtMs }
      let exits = 0
      for (let rounds = 0; fleet.phase !== 'stopped' && rounds < 1000; rounds++) {
        const next = step(fleet, event)
        fleet = next.fleet
        expect(next.commands.filter((command) => command.kind === 'fork' || command.kind === 'promote')).toEqual([])
        for (const command of next.commands) {
          if (command.kind === 'kill') killed.push(command.workerId)
          if (command.kind === 'exit') exits++
        }
        const victim = killed.shift()
        event = victim === undefined ? { kind: 'woken', nowMs: wakeAtMs(fleet) ?? fleet.nowMs } : gone(victim, fleet.nowMs)
      }
      expect(fleet.phase).toBe('stopped')
      expect(fleet.nowMs - askedAtMs).toBeLessThanOrEqual(fleetSettings.drain.timeoutMs)
      expect(exits).toBe(1)
    }),
    { numRuns: 80 },
  )
}, 120_000)

test('when the faults end the fleet heals: as many are ready as are wanted, and nothing is left over', () => {
  fc.assert(
    fc.property(settings, sequence, (fleetSettings, steps) => {
      let { fleet } = run(initialFleet(fleetSettings), steps)
      // A boot that has timed out while the fleet starts ends it by design.
      if (fleet.stopping || fleet.phase === 'starting') return
      let nowMs = fleet.nowMs
      const feed = (event: FleetEvent): void => {
        fleet = step(fleet, event).fleet
      }
      for (let tick = 0; tick < 300; tick++) {
        nowMs += 1000
        for (const { id, life, pid } of fleet.workers) {
          if (life.kind === 'booting') feed({ kind: pid === null ? 'forked' : 'readied', workerId: id, pid: id, nowMs } as FleetEvent)
          if (life.kind === 'draining' || life.kind === 'killing') feed(gone(id, nowMs))
        }
        const samples = fleet.workers.map(({ id }) => ({ workerId: id, cpu: 0.4, memoryBytes: 1e8, report: reportOf({ eventLoopUtilization: 0.5 }) }))
        feed({ kind: 'sampled', wallMs: nowMs, samples, usage: { cpus: 1, memoryBytes: 1e8 }, nowMs })
      }
      const ready = fleet.workers.filter((worker) => worker.life.kind === 'ready')
      const spares = fleet.workers.filter((worker) => worker.life.kind === 'spare')
      expect({ phase: fleet.phase, ready: ready.length, reload: fleet.reload }).toEqual({ phase: 'running', ready: fleet.target, reload: null })
      expect(fleet.workers.length).toBe(ready.length + spares.length)
      expect(ready.every((worker) => !worker.drainWanted && worker.stuckAtMs === null && worker.replaces === null)).toBe(true)
    }),
    { numRuns: 80 },
  )
}, 120_000)
