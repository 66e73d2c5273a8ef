import { expect, test } from 'vitest'
import { planBudget } from '../../packages/supervisor/src/policy/budget-plan.ts'
import { readScenario } from '../../packages/supervisor/src/simulator/read-scenario.ts'
import { renderReport } from '../../packages/supervisor/src/simulator/report.ts'
import type { ReplicaModel } from '../../packages/supervisor/src/simulator/scenario.ts'
import { Service } from '../../packages/supervisor/src/simulator/service.ts'
import { type Outcome, simulate } from '../../packages/supervisor/src/simulator/simulate.ts'
import type { Turn } from '../../packages/supervisor/src/simulator/turn.ts'
import { fleetSettings } from '../fleet/driver.ts'

const prices = { perReplicaMonth: 20, fixedMonth: 20, budgetMonth: null }
/** What one replica of two cores does not carry. */
const scenario = {
  durationS: 1800,
  load: [
    { atS: 0, requestsPerSecond: 0 },
    { atS: 20, requestsPerSecond: 100, step: true },
    { atS: 200, requestsPerSecond: 700, step: true },
    { atS: 700, requestsPerSecond: 60, step: true },
  ],
  host: { cpus: 2 },
  replicas: { min: 1, max: 6, bootMs: 20_000 },
}

function outcomeOf(fields: object): Outcome {
  const plan = readScenario(JSON.stringify({ ...scenario, ...fields }), 's.json')
  return simulate(plan, fleetSettings({ workers: { max: 2 }, capacity: { cpus: 2 } }), prices)
}

const followed = outcomeOf({})

test('the page shows how many there were', () => {
  const plan = readScenario(JSON.stringify(scenario), 's.json')
  const page = renderReport({ title: 'two levels', plan, settings: fleetSettings(), prices, outcome: followed, others: [] })
  expect(page).toContain('<b>Replicas</b>')
  expect(page).toContain(`<strong>${followed.summary.replicaHours}</strong>replica-hours`)
})

test('as many replicas as are said to be needed: they come with the load and go with it, nothing is cut, and no rule is broken', () => {
  expect(followed.summary.violations).toEqual([])
  expect(followed.summary.cut).toBe(0)
  expect(followed.summary.maxReplicas).toBeGreaterThanOrEqual(2)
  expect(followed.timeline.at(-1)?.replicas).toBe(1)
  expect(followed.warnings.join('\n')).toMatch(/says: needs replicas: 2 \(1 now\)/)
})

test('replica-hours and costs count each replica as long as it is there', () => {
  const ticks = [...followed.timeline].reduce((sum, { replicas }) => sum + replicas, 0)
  expect(followed.summary.replicaHours).toBeCloseTo(ticks / 3600, 2)
  expect(followed.summary.costUsdPerMonth).toBeCloseTo(20 + (20 * ticks) / 1800, 0)
})

test('where nobody follows, one replica stays and answers are late', () => {
  const { summary } = outcomeOf({ replicas: { ...scenario.replicas, follow: false } })
  expect(summary.maxReplicas).toBe(1)
  expect(summary.sloViolationS).toBeGreaterThan(followed.summary.sloViolationS)
})

test('Redis away: what was said stays, and nothing new is', () => {
  const { summary, warnings } = outcomeOf({ faults: [{ atS: 0, kind: 'redis-away', forS: 1800 }] })
  expect(summary.violations).toEqual([])
  expect(summary.maxReplicas).toBe(1)
  expect(warnings).toEqual([])
})

test.for(['redis-flushed', 'redis-restored', 'redis-slow', 'replica-crash'])(
  '%s: replicas with one budget of connections stay within it, and serve on',
  (kind) => {
    const database = planBudget({ budget: 63, reserve: 3, minPerWorker: 2, replicas: 3, isShared: true, minWorkers: 1 })
    const fields = { load: [{ atS: 0, requestsPerSecond: 300 }], replicas: { min: 3, bootMs: 5000 }, faults: [{ atS: 300, kind }] }
    const plan = readScenario(JSON.stringify({ ...scenario, ...fields }), 's.json')
    const { summary } = simulate(plan, fleetSettings({ workers: { max: 2 }, capacity: { cpus: 2 }, database }), prices)
    expect(summary.violations).toEqual([])
    expect(summary.answered / summary.requests).toBeGreaterThan(0.99)
    expect(summary.maxReplicas).toBe(3)
  },
)

/** How many others each replica heard of, at every beat after all had met; null where Redis told it nothing. */
function heardWith(faults: readonly object[], seed = 1): readonly (number | null)[] {
  const fields = { seed, durationS: 120, load: [{ atS: 0, requestsPerSecond: 100 }], replicas: { min: 3 }, faults }
  const plan = readScenario(JSON.stringify({ ...scenario, ...fields }), 's.json')
  const heard: (number | null)[] = []
  const see = (_: string, { event }: Turn): void => {
    if (event.kind === 'peersHeard' && event.nowMs > 20_000) heard.push(event.others?.length ?? null)
  }
  const replicas = plan.scenario.replicas as ReplicaModel
  const service = new Service({ settings: fleetSettings(), scenario: plan.scenario, replicas, startsAtMs: 0, helm: {}, see })
  service.run(plan.durationMs)
  expect(service.replicas).toHaveLength(3)
  return heard
}

test('replicas without a budget hear of all others, as long as nothing befalls Redis', () => {
  expect(new Set(heardWith([]))).toEqual(new Set([2]))
})

/** What a copy is short of depends on how old it is, and on the clock of who has it. */
const SEEDS = [1, 2, 3, 4, 5, 6]

test.for<[kind: string, forS: number, seen: number | null]>([
  ['redis-away', 20, null],
  ['redis-slow', 20, null],
  ['redis-flushed', 0, 0],
  ['redis-restored', 0, 0],
])('%s is felt by replicas that share no budget, too, and passes', ([kind, forS, seen]) => {
  const heard = SEEDS.map((seed) => heardWith([{ atS: 60, kind, forS }], seed))
  expect(heard.flat()).toContain(seen)
  for (const each of heard) expect(new Set(each.slice(-60))).toEqual(new Set([2]))
})

test('the same scenario gives the same outcome', () => {
  expect(JSON.stringify(outcomeOf({}))).toBe(JSON.stringify(followed))
})

test('what cannot be is told in one sentence', () => {
  const read = (replicas: object) => () => readScenario(JSON.stringify({ ...scenario, replicas }), 's.json')
  expect(read({ min: 3, max: 2 })).toThrow('s.json, line 1: replicas.max 2 is less than replicas.min 3.')
  expect(read({ min: 0 })).toThrow('s.json, line 1: replicas.min 0 is not allowed')
  expect(read({ many: 1 })).toThrow('replicas.many is not part of a scenario')
})
