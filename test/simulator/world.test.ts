import { expect, test } from 'vitest'
import { replay } from '../../packages/supervisor/src/fleet/replay.ts'
import { initialFleet } from '../../packages/supervisor/src/fleet/fleet.ts'
import { MB, fleetSettings } from '../fleet/driver.ts'
import { examine } from '../../packages/supervisor/src/simulator/examine.ts'
import { randomLife } from '../../packages/supervisor/src/simulator/random-life.ts'
import type { Fault } from '../../packages/supervisor/src/simulator/scenario.ts'
import { calmScenario, simulate } from './runs.ts'

/** More of them on demand: each seed is another life. */
const SEEDS = Number(process.env['SIMULATOR_SEEDS'] ?? 300)
const base = fleetSettings()

test(
  `${SEEDS} seeds of load, faults and operators: no checker complains, the fleet heals, and stop ends it`,
  () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { broken, transcript } = examine(randomLife(seed, base))
      expect([`seed ${seed}`, ...broken, ...transcript].join('\n')).toBe(`seed ${seed}`)
    }
  },
  1000 * SEEDS,
)

test('the same seed lives the same life, byte for byte; another one does not', () => {
  const lives = [7, 7, 8].map((seed) => {
    const { settings, scenario } = randomLife(seed, base)
    return JSON.stringify(simulate(settings, scenario, 100_000).turns)
  })
  expect(lives[0]).toBe(lives[1])
  expect(lives[2]).not.toBe(lives[0])
})

test('what the world recorded replays to the same decisions', () => {
  const { settings, scenario } = randomLife(3, base)
  const { turns, world } = simulate(settings, scenario, 100_000)
  const again = replay({ start: initialFleet(settings), events: turns.map((turn) => turn.event) })
  expect(JSON.stringify(again.fleet)).toBe(JSON.stringify(world.fleet))
  expect(again.notes).toEqual(turns.flatMap((turn) => turn.notes))
})

test('without faults nothing is cut, through rush, calm, reload and stop', () => {
  const load = [20, 20, 900, 900, 20, 20].map((requestsPerSecond, index) => ({ atMs: index * 60_000, requestsPerSecond }))
  const requests = [
    { atMs: 150_000, event: { kind: 'reloadRequested', requestId: 1 } },
    { atMs: 900_000, event: { kind: 'stopRequested', reason: 'end' } },
  ] as const
  const run = simulate(fleetSettings({ workers: { spares: 1 } }), { ...calmScenario, load, requests }, 950_000)
  expect(run.broken).toEqual([])
  expect(run.world.ended).toBe(true)
  expect(run.turns.at(-1)?.ledger).toMatchObject({ cut: 0 })
  const sizes = run.turns.map((turn) => turn.fleet.target)
  expect(Math.max(...sizes)).toBeGreaterThanOrEqual(4)
  expect(sizes.at(-1)).toBeLessThan(Math.max(...sizes))
  const reloads = run.turns.flatMap(({ notes }) => notes.filter((note) => note.kind === 'reload:done'))
  expect(reloads).toHaveLength(1)
})

test('a rush opens the surge lane: a promoted spare serves within four seconds', () => {
  const load = [
    { atMs: 0, requestsPerSecond: 20 },
    { atMs: 60_000, requestsPerSecond: 20 },
    { atMs: 60_001, requestsPerSecond: 600 },
  ]
  const { turns, broken } = simulate(fleetSettings({ workers: { spares: 1 } }), { ...calmScenario, load }, 70_000)
  expect(broken).toEqual([])
  const promoted = turns.find(({ commands }) => commands.some((command) => command.kind === 'promote'))
  expect(promoted?.event.nowMs).toBeLessThanOrEqual(64_000)
})

test.for([20, 150, 400, 1000])('a constant load of %s requests per second makes the fleet move in one direction, then rest', (requestsPerSecond) => {
  // Nobody asks a service before it runs: what had gathered until then would be a rush.
  const load = [
    { atMs: 0, requestsPerSecond: 0 },
    { atMs: 10_000, requestsPerSecond, step: true },
  ]
  const { turns, broken } = simulate(fleetSettings(), { ...calmScenario, load }, 1_800_000)
  expect(broken).toEqual([])
  const sizes = turns.map((turn) => turn.fleet.target)
  const moves = sizes.slice(1).flatMap((size, index) => (size === sizes[index] ? [] : [size - (sizes[index] as number)]))
  expect(moves.every((move) => move > 0)).toBe(true)
  expect(new Set(sizes.slice(-600)).size).toBe(1)
})

test('a square wave of 30 seconds for 10 minutes makes at most 4 changes', () => {
  const load = Array.from({ length: 21 }, (_, index) => index).flatMap((index) => {
    const requestsPerSecond = index % 2 === 0 ? 20 : 190
    return [
      { atMs: index * 30_000, requestsPerSecond },
      { atMs: index * 30_000 + 29_999, requestsPerSecond },
    ]
  })
  const { turns, broken } = simulate(fleetSettings(), { ...calmScenario, load }, 600_000)
  expect(broken).toEqual([])
  const scaled = turns.flatMap(({ notes }) => notes.filter((note) => note.kind === 'fleet:scaled'))
  expect(scaled.length).toBeLessThanOrEqual(4)
})

test('a worker that grows beyond its memory limit is replaced, and its requests are answered', () => {
  const settings = fleetSettings({ workers: { min: 2, memoryLimitBytes: 80 * MB }, scaling: { up: {} } })
  const { turns, broken } = simulate(settings, calmScenario, 60_000)
  expect(broken).toEqual([])
  expect(turns.flatMap(({ notes }) => notes.filter((note) => note.kind === 'worker:memory')).length).toBeGreaterThan(0)
  expect(turns.at(-1)?.ledger.cut).toBe(0)
})

test('boots that crash for ever end the supervisor with the cause', () => {
  const faults = [{ atMs: 0, kind: 'boot-crash', worker: 'any', forMs: 1e9 }] as const
  const { turns, world, broken } = simulate(fleetSettings(), { ...calmScenario, faults }, 120_000)
  expect(broken).toEqual([])
  expect(world.ended).toBe(true)
  const exit = turns.at(-1)?.commands.find((command) => command.kind === 'exit')
  expect(exit).toMatchObject({ code: 1 })
  expect(exit?.message).toContain('a fault of the simulator')
})

test('a clock that drifts moves the hours of a schedule, and one that is put right again does not make the fleet flap', () => {
  const opensAt = { cron: '2 0 * * *', timezone: 'UTC', min: 4, max: null, until: null, forMs: 600_000 }
  const settings = fleetSettings({ scaling: { schedule: [opensAt] } })
  const grownAtS = (...faults: Fault[]): number[] => {
    const { turns, broken } = simulate(settings, { ...calmScenario, faults }, 400_000)
    expect(broken).toEqual([])
    const targets = turns.map(({ fleet, atMs }) => ({ target: fleet.target, atMs }))
    return targets.flatMap(({ target, atMs }, index) => (index > 0 && target !== targets[index - 1]?.target ? [atMs / 1000, target] : []))
  }
  const drift = (forMs: number): Fault => ({ atMs: 10_000, kind: 'clock-drift', worker: 'any', forMs })
  expect(grownAtS()).toEqual([120, 4])
  // After 100 s of drift it is ten seconds ahead.
  expect(grownAtS(drift(600_000))).toEqual([110, 4])
  expect(grownAtS(drift(102_000))).toEqual([110, 4])
})

test('a reload that is aborted leaves the very workers that served before', () => {
  const faults: Fault[] = [{ atMs: 20_000, kind: 'bad-release', worker: 'any', forMs: 600_000 }]
  const requests = [{ atMs: 30_000, event: { kind: 'reloadRequested', requestId: 1 } }] as const
  const { turns, broken } = simulate(fleetSettings({ workers: { min: 3 } }), { ...calmScenario, faults, requests }, 200_000)
  expect(broken).toEqual([])
  const servingAfter = (turn: (typeof turns)[number] | undefined): number[] | undefined =>
    turn?.fleet.workers.flatMap(({ id, life }) => (life.kind === 'ready' ? [id] : []))
  const began = turns.findIndex(({ event }) => event.kind === 'reloadRequested')
  const aborted = turns.findIndex(({ notes }) => notes.some(({ kind }) => kind === 'reload:aborted'))
  expect(aborted).toBeGreaterThan(began)
  expect(servingAfter(turns[began])).toHaveLength(3)
  for (const turn of turns.slice(began)) expect(servingAfter(turn)).toEqual(servingAfter(turns[began]))
})
