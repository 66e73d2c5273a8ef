import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StationmasterError } from '../../packages/supervisor/src/errors.ts'
import { planBudget } from '../../packages/supervisor/src/policy/budget-plan.ts'
import { planFromJournal } from '../../packages/supervisor/src/simulator/plan-from-journal.ts'
import { readJournal } from '../../packages/supervisor/src/simulator/read-journal.ts'
import { replayRun } from '../../packages/supervisor/src/simulator/replay-run.ts'
import type { Scenario } from '../../packages/supervisor/src/simulator/scenario.ts'
import { simulate as simulatePlan } from '../../packages/supervisor/src/simulator/simulate.ts'
import { fleetSettings } from '../fleet/driver.ts'
import { defaultScaling } from '../policy/settings.ts'
import { calmScenario, simulate } from './runs.ts'

const prices = { perReplicaMonth: 20, fixedMonth: 20, budgetMonth: null }
const rush = { cron: '0 8 * * 1-5', timezone: 'Europe/Berlin', min: 2, max: null, until: null, forMs: 3_600_000 }
const settings = fleetSettings({
  workers: { min: 2, spares: 1 },
  scaling: { predict: true, schedule: [rush], up: { ...defaultScaling.up, jobs: { threshold: 100, forMs: 10_000 } } },
  health: { path: '/health', intervalMs: 5000 },
  database: planBudget({ budget: 40, reserve: 3, minPerWorker: 2, replicas: 1, isShared: false, minWorkers: 2 }),
})
const fault = (kind: Scenario['faults'][number]['kind'], atMs: number): Scenario['faults'][number] => ({ kind, atMs, worker: 'any', forMs: 5000 })
const scenario: Scenario = {
  ...calmScenario,
  load: [
    { atMs: 0, requestsPerSecond: 300 },
    { atMs: 40_000, requestsPerSecond: 900 },
  ],
  faults: [fault('crash', 12_000), fault('crash', 33_000), fault('hang', 30_000), fault('boot-crash', 36_000)],
  requests: [
    { atMs: 20_000, event: { kind: 'scaleRequested', requestId: 1, workers: 4 } },
    { atMs: 35_000, event: { kind: 'reloadRequested', requestId: 2 } },
    { atMs: 45_000, event: { kind: 'budgetRequested', requestId: 3, budget: 30 } },
  ],
}

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** Half a minute in the middle of a life full of troubles, and what replicas would have said. */
const lines = journal()

function journal(): Json[] {
  const { turns } = simulate(settings, scenario, 60_000)
  const begin = turns.findIndex(({ event, fleet }) => event.nowMs > 34_000 && fleet.lastExit !== null)
  const start = turns[begin] as (typeof turns)[number]
  const { nowMs } = start.event
  const totals = { wanted: 3, most: 10, needs: 1 }
  const fromOthers = [
    { kind: 'peersHeard', ownId: 'a', others: [{ id: 'b', name: 'b', address: null, totals }], nowMs },
    { kind: 'loanHeard', granted: 3, untilMs: nowMs + 10_000, nowMs },
  ]
  return JSON.parse(JSON.stringify([{ kind: 'start', ...start.fleet }, ...fromOthers, ...turns.slice(begin + 1).map(({ event }) => event)])) as Json[]
}

const JUNK: readonly Json[] = [null, true, false, 'x', '', '__proto__', -1, 0, 0.5, 1e6, 1e15, 1e300, [], [7], [{}], {}, { a: 1 }]

/** One value somewhere within, found by chance, becomes another; or is left out, where that is what it becomes. */
function swapped(value: Json, steps: readonly number[], junk: Json | undefined): Json | undefined {
  const [step, ...rest] = steps
  if (step === undefined || typeof value !== 'object' || value === null || Object.keys(value).length === 0) return junk
  const keys = Object.keys(value)
  const key = keys[step % keys.length] as string
  const inside = swapped((value as Record<string, Json>)[key] as Json, rest, junk)
  if (Array.isArray(value)) return value.map((each, place) => (String(place) === key ? (inside ?? null) : each))
  const others = Object.entries(value).map(([name, each]): [string, Json | undefined] => [name, name === key ? inside : each])
  return Object.fromEntries(others.filter(([, each]) => each !== undefined)) as Json
}

const aChange = fc.record({
  // The first line is as good as all others together.
  line: fc.oneof(fc.constant(0), fc.nat(lines.length - 1)),
  steps: fc.array(fc.nat(1000), { minLength: 1, maxLength: 6 }),
  junk: fc.oneof(fc.constantFrom(...JUNK), fc.constant(undefined)),
})

test('a journal is simulated and replayed to its end as it is', () => {
  const { summary } = outcomesOf(lines)
  expect(summary.violations).toEqual([])
  expect(new Set(lines.map((line) => (line as { kind: string }).kind)).size).toBeGreaterThan(10)
})

test('with one field swapped for junk it is refused in one sentence with its line, or simulated and replayed to its end', () => {
  const seen = { refused: 0, simulated: 0 }
  fc.assert(
    fc.property(aChange, ({ line, steps, junk }) => {
      const damaged = lines.map((each, place) => (place === line ? (swapped(each, steps, junk) ?? null) : each))
      try {
        expect(outcomesOf(damaged).summary.requests).toBeGreaterThanOrEqual(0)
        seen.simulated++
      } catch (error) {
        if (!(error instanceof StationmasterError)) throw error
        expect(error.code).toBe('SM_SCENARIO_INVALID')
        expect(error.message).toMatch(/^j\.jsonl, line \d+: [^\n]+\.$/)
        seen.refused++
      }
    }),
    { numRuns: 120 },
  )
  expect(Math.min(seen.refused, seen.simulated)).toBeGreaterThan(10)
})

function outcomesOf(journalLines: readonly Json[]): ReturnType<typeof replayRun> {
  const recording = readJournal(journalLines.map((line) => JSON.stringify(line)).join('\n'), 'j.jsonl')
  const plan = planFromJournal(recording)
  replayRun(plan, recording, prices)
  return simulatePlan(plan, { ...recording.start.settings, tickMs: plan.tickMs }, prices)
}
