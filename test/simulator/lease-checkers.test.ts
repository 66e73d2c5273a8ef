import { expect, test } from 'vitest'
import type { FleetEvent } from '../../packages/supervisor/src/fleet/event.ts'
import type { Fleet } from '../../packages/supervisor/src/fleet/fleet.ts'
import { type Step, step } from '../../packages/supervisor/src/fleet/step.ts'
import { planBudget } from '../../packages/supervisor/src/policy/budget-plan.ts'
import { LeaseBooks } from '../../packages/supervisor/src/simulator/lease-books.ts'
import { LeaseCheckers } from '../../packages/supervisor/src/simulator/lease-checkers.ts'
import type { Scenario } from '../../packages/supervisor/src/simulator/scenario.ts'
import type { Turn } from '../../packages/supervisor/src/simulator/turn.ts'
import { World } from '../../packages/supervisor/src/simulator/world.ts'
import { fleetSettings } from '../fleet/driver.ts'
import { calmScenario } from './runs.ts'

/** A core with one fault in it. */
type Core = (fleet: Fleet, event: FleetEvent) => Step

const settings = fleetSettings({
  workers: { min: 2, max: 8, memoryLimitBytes: 1e12 },
  restart: { intensity: 1e6 },
  drain: { timeoutMs: 3000 },
  database: planBudget({ budget: 15, reserve: 3, minPerWorker: 2, replicas: 1, minWorkers: 2 }),
})

/** Busy enough to want every connection, with deaths, a growing and shrinking fleet, cuts, and a channel that loses and doubles. */
const scenario: Scenario = {
  ...calmScenario,
  load: [{ atMs: 0, requestsPerSecond: 150 }],
  request: { cpuMs: 1, waitMs: 300 },
  worker: { ...calmScenario.worker, memoryPerRequestBytes: 0 },
  faults: [
    ...[30_000, 33_000, 36_000, 90_000].map((atMs) => ({ atMs, kind: 'crash', worker: 'any', forMs: 0 }) as const),
    { atMs: 20_000, kind: 'lost-messages', worker: 'any', forMs: 30_000 },
    { atMs: 55_000, kind: 'doubled-messages', worker: 'any', forMs: 20_000 },
  ],
  requests: [
    { atMs: 15_000, event: { kind: 'scaleRequested', requestId: 1, workers: 4 } },
    { atMs: 60_000, event: { kind: 'scaleRequested', requestId: 2, workers: 2 } },
    { atMs: 70_000, event: { kind: 'reloadRequested', requestId: 3 } },
    { atMs: 80_000, event: { kind: 'budgetRequested', requestId: 4, budget: 9 } },
    { atMs: 100_000, event: { kind: 'budgetRequested', requestId: 5, budget: 15 } },
    // More than the budget feeds: it is refused.
    { atMs: 110_000, event: { kind: 'scaleRequested', requestId: 6, workers: 8 } },
  ],
}

/** Everything that was found, by the number of the invariant. */
function foundIn(core: Core): string {
  const checkers = new LeaseCheckers()
  const broken: string[] = []
  const see = (turn: Turn): void => {
    broken.push(...checkers.after(turn))
  }
  const world = new World(settings, scenario, 0, see, { step: core })
  world.run(200_000)
  broken.push(...checkers.atRest(world, world.fleet.nowMs))
  return [...new Set(broken.flatMap((sentence) => /I\d/.exec(sentence)?.[0] ?? []))].sort().join(' ')
}

/** The same step with something done to what goes in. */
const fed =
  (change: (event: FleetEvent, fleet: Fleet) => FleetEvent): Core =>
  (fleet, event) =>
    step(fleet, change(event, fleet))

/** The same step with something done to what comes out. */
const told =
  (change: (after: Step, event: FleetEvent) => Step): Core =>
  (fleet, event) =>
    change(step(fleet, event), event)

const regranted = (after: Step, by: number): Step => ({
  ...after,
  commands: after.commands.map((command) => (command.kind === 'lease' ? { ...command, granted: command.granted + by } : command)),
})

const withAvailable = (after: Step, available: number): Step => {
  const { database } = after.fleet.settings
  return database ? { ...after, fleet: { ...after.fleet, settings: { ...after.fleet.settings, database: { ...database, available } } } } : after
}

/** Faults that a core could have, and the rules that must find them. */
const MUTANTS: readonly (readonly [fault: string, rules: RegExp, core: Core])[] = [
  ['tells workers more than it books', /I1.*I2.*I4/, told((after) => regranted(after, 4))],
  [
    'forgets what a worker leaves open when it dies',
    /I1.*I3/,
    told((after, event) => (event.kind === 'exited' ? { ...after, fleet: { ...after.fleet, quarantine: [] } } : after)),
  ],
  [
    'takes a connection that was not yet to be seen for one that is gone',
    /I3/,
    fed((event) => (event.kind === 'backendsSeen' ? { ...event, askedAtMs: event.askedAtMs + 5000, backends: [] } : event)),
  ],
  [
    'grows before the other has shrunk: takes the word for the deed',
    /I[24]/,
    fed((event, fleet) => {
      const lease = event.kind === 'leaseUsed' ? fleet.workers.find(({ id }) => id === event.workerId)?.lease : undefined
      return event.kind === 'leaseUsed' && lease ? { ...event, holds: lease.granted } : event
    }),
  ],
  [
    'takes every promise for one that follows the newest word',
    /I6/,
    fed((event, fleet) => {
      const lease = event.kind === 'leaseUsed' ? fleet.workers.find(({ id }) => id === event.workerId)?.lease : undefined
      return event.kind === 'leaseUsed' && lease ? { ...event, sequence: lease.sequence, holds: lease.granted } : event
    }),
  ],
  ['says the same word with another number', /I6/, told((after, event) => (event.kind === 'sampled' ? regranted(after, -1) : after))],
  [
    'takes a larger share by itself, as after a flush',
    /I7/,
    told((after, event) => (event.kind === 'sampled' && event.nowMs > 50_000 && event.nowMs < 51_500 ? withAvailable(after, 24) : after)),
  ],
  [
    'forks workers that nobody can feed',
    /I8/,
    (fleet, event) => {
      const { database } = fleet.settings
      const isBlind = database !== null && event.kind !== 'leaseUsed' && event.kind !== 'budgetRequested'
      const after = step(isBlind ? { ...fleet, settings: { ...fleet.settings, database: { ...database, available: 100 } } } : fleet, event)
      return isBlind ? withAvailable(after, database.available) : after
    },
  ],
  ['never lets go of what the dead had', /I9/, fed((event) => (event.kind === 'backendsSeen' ? { ...event, starting: 99 } : event))],
]

test.for(MUTANTS)('a core that %s is found', ([, rules, core]) => {
  expect(foundIn(core)).toMatch(rules)
})

test('books: a worker that has promised may still have heard any later word; older words and doubles change nothing', () => {
  const books = new LeaseBooks()
  books.say(1, 1, 10)
  books.promise(1, 1, 10)
  books.say(1, 2, 4)
  books.say(1, 3, 6)
  expect(books.mostOf(1)).toBe(10)
  books.promise(1, 2, 4)
  expect(books.mostOf(1)).toBe(6)
  books.promise(1, 1, 10)
  expect(books.mostOf(1)).toBe(6)
  expect(books.say(1, 2, 4)).toHaveLength(1)
  expect(books.say(1, 3, 7)).toHaveLength(1)
  books.close(1)
  expect(books.total()).toBe(0)
})

test('the production core breaks none of them', () => {
  expect(foundIn(step)).toBe('')
})
