import { expect, test } from 'vitest'
import { resolveOptions } from '../../packages/supervisor/src/config/resolve.ts'
import { type FleetSettings, initialFleet } from '../../packages/supervisor/src/fleet/fleet.ts'
import { planBudget } from '../../packages/supervisor/src/policy/budget-plan.ts'
import { planFromJournal } from '../../packages/supervisor/src/simulator/plan-from-journal.ts'
import type { Plan } from '../../packages/supervisor/src/simulator/plan.ts'
import { readJournal } from '../../packages/supervisor/src/simulator/read-journal.ts'
import { readScenario } from '../../packages/supervisor/src/simulator/read-scenario.ts'
import { renderReport } from '../../packages/supervisor/src/simulator/report.ts'
import type { OperatorRequest } from '../../packages/supervisor/src/simulator/scenario.ts'
import { type Outcome, simulate as simulatePlan } from '../../packages/supervisor/src/simulator/simulate.ts'
import { fleetSettings } from '../fleet/driver.ts'
import { calmScenario, simulate } from './runs.ts'

const prices = { perReplicaMonth: 20, fixedMonth: 20, budgetMonth: null }
/** What one worker answers in calm, so that nothing but what is told makes a fleet grow. */
const calm = { durationS: 180, load: [{ atS: 0, requestsPerSecond: 40 }] }
const rising = (most: number): object[] => [
  { atS: 0, value: 0 },
  { atS: 60, value: 0 },
  { atS: 90, value: most },
]

interface Case {
  readonly fields: object
  readonly up: object
  readonly title: string
  readonly reason: RegExp
}

const cases: Readonly<Record<string, Case>> = {
  jobs: { fields: { signals: { jobs: rising(500) } }, up: { jobs: { above: 100, for: '10s' } }, title: 'Signal jobs', reason: /^jobs \d+ above 100/ },
  queueTime: {
    fields: { request: { cpuMs: 4, waitMs: 20, queueTimeMs: rising(800) } },
    up: { queueTime: { above: '200ms', for: '10s' } },
    title: 'Time before requests got here',
    reason: /^queueTime \d+ ms above 200 ms/,
  },
}

function planOf(fields: object): Plan {
  return readScenario(JSON.stringify({ ...calm, ...fields }), 's.json')
}

function settingsOf(plan: Plan, up: object): FleetSettings {
  const { cpus, memoryBytes } = plan.scenario.host
  const context = { baseFolder: import.meta.dirname, environment: {}, capacity: { cpus, memoryBytes, source: 'host' as const }, isTerminal: false }
  return { ...resolveOptions({ entry: './app.js', routing: { trustedProxies: ['private'] }, scaling: { up } }, context).fleet, tickMs: plan.tickMs }
}

const grownIn = ({ decisions }: Outcome): string[] => decisions.flatMap(({ from, to, reason }) => (to > from ? [reason] : []))

test.for(Object.keys(cases))('a fleet grows by %s where a scenario tells of it, and a journal of that night tells the same again', (name) => {
  const { fields, up, title, reason } = cases[name] as Case
  const plan = planOf(fields)
  const settings = settingsOf(plan, up)
  const outcome = simulatePlan(plan, settings, prices)
  expect(outcome.summary.violations).toEqual([])
  expect(outcome.warnings).toEqual([])
  expect(grownIn(outcome)[0]).toMatch(reason)
  const page = renderReport({ title: 'told', plan, settings, prices, outcome, others: [] })
  expect(page).toContain(title)
  expect(page).not.toContain(`${title}: not measured`)

  const { turns } = simulate(settings, plan.scenario, plan.durationMs)
  const lines = [{ kind: 'start', ...initialFleet(settings) }, ...turns.map(({ event }) => event)]
  const recorded = planFromJournal(readJournal(lines.map((line) => JSON.stringify(line)).join('\n'), 'j.jsonl'))
  const again = simulatePlan(recorded, settings, prices)
  expect(grownIn(again)[0]).toMatch(reason)
  const [first, second] = [outcome, again].map(({ decisions }) => decisions.find(({ from, to }) => to > from)?.atMs ?? Number.NaN)
  expect(Math.abs((first as number) - (second as number))).toBeLessThanOrEqual(2000)
})

test.for(Object.keys(cases))('where nothing is told of %s a fleet does not grow by it', (name) => {
  const plan = planOf({})
  expect(grownIn(simulatePlan(plan, settingsOf(plan, cases[name]?.up ?? {}), prices))).toEqual([])
})

test('one time for all requests is told as a number', () => {
  const [few, many] = [100, 300].map((queueTimeMs) => {
    const plan = planOf({ request: { cpuMs: 4, waitMs: 20, queueTimeMs } })
    return grownIn(simulatePlan(plan, settingsOf(plan, cases['queueTime']?.up ?? {}), prices))
  })
  expect(few).toEqual([])
  expect(many?.[0]).toMatch(/^queueTime \d+ ms above 200 ms/)
})

test('what operators asked that night is asked again', () => {
  const database = planBudget({ budget: 40, reserve: 3, minPerWorker: 2, replicas: 1, isShared: false, minWorkers: 2 })
  const settings = fleetSettings({ workers: { min: 2 }, database })
  const requests: OperatorRequest[] = [
    { atMs: 20_000, event: { kind: 'scaleRequested', requestId: 1, workers: 3 } },
    { atMs: 30_000, event: { kind: 'drainRequested', requestId: 2, workerId: 1 } },
    { atMs: 40_000, event: { kind: 'budgetRequested', requestId: 3, budget: 30 } },
    { atMs: 50_000, event: { kind: 'reloadRequested', requestId: 4 } },
  ]
  const { turns } = simulate(settings, { ...calmScenario, requests }, 60_000)
  const lines = [{ kind: 'start', ...initialFleet(settings) }, ...turns.map(({ event }) => event)]
  const { scenario } = planFromJournal(readJournal(lines.map((line) => JSON.stringify(line)).join('\n'), 'j.jsonl'))
  expect(scenario.requests.map(({ event }) => event)).toEqual(requests.map(({ event }) => event))
})
