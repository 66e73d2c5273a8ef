import { expect, test } from 'vitest'
import { planBudget } from '../../packages/supervisor/src/policy/budget-plan.ts'
import { examine } from '../../packages/supervisor/src/simulator/examine.ts'
import { FAULTS_OF_REPLICAS, FAULT_KINDS, type Fault, type FaultKind, type Scenario } from '../../packages/supervisor/src/simulator/scenario.ts'
import { Service } from '../../packages/supervisor/src/simulator/service.ts'
import { fleetSettings } from '../fleet/driver.ts'
import { calmScenario, simulate } from './runs.ts'

const UNTIL_MS = 120_000
const settings = fleetSettings({ workers: { min: 2 }, restart: { intensity: 1000 }, drain: { timeoutMs: 3000 } })
const replicas = { min: 2, max: 2, bootMs: 2000, follow: false }
const shared = {
  ...settings,
  database: planBudget({ budget: 43, reserve: 3, minPerWorker: 2, replicas: 2, isShared: true, minWorkers: 2 }),
}

/** Nothing happens but one fault, and a reload while it lasts: some meet only what boots. */
function scenarioWith(faults: readonly Fault[]): Scenario {
  const requests = [{ atMs: 65_000, event: { kind: 'reloadRequested', requestId: 1 } }] as const
  return { ...calmScenario, load: [{ atMs: 0, requestsPerSecond: 100 }], faults, requests }
}

const faultOf = (kind: FaultKind): Fault => ({ atMs: 60_000, kind, worker: 'any', forMs: 20_000 })

/** All that the core was told, and what became of the requests. */
function traceOf(scenario: Scenario): string {
  return JSON.stringify(simulate(settings, scenario, UNTIL_MS).turns.map(({ event, ledger }) => [event, ledger]))
}

function traceOfReplicas(scenario: Scenario): string {
  const told: unknown[] = []
  const see = (id: string, { event, ledger }: { event: object; ledger: object }): void => void told.push([id, event, ledger])
  new Service({ settings: shared, scenario, replicas, startsAtMs: 0, helm: {}, see }).run(UNTIL_MS)
  return JSON.stringify(told)
}

const calm = new Map([
  [false, traceOf(scenarioWith([]))],
  [true, traceOfReplicas(scenarioWith([]))],
])

test.for(Object.keys(FAULT_KINDS) as FaultKind[])('%s leaves a trace in a calm life, and the fleet heals', (kind) => {
  const isOfReplicas = FAULTS_OF_REPLICAS.has(kind)
  const scenario = scenarioWith([faultOf(kind)])
  const trace = isOfReplicas ? traceOfReplicas(scenario) : traceOf(scenario)
  expect(trace === calm.get(isOfReplicas)).toBe(false)
  const { broken } = examine(isOfReplicas ? { settings: shared, scenario: { ...scenario, replicas } } : { settings, scenario })
  expect(broken).toEqual([])
})

test('without a fault the same life leaves the same trace, so what differs is the fault', () => {
  expect(traceOf(scenarioWith([])) === calm.get(false)).toBe(true)
  expect(traceOfReplicas(scenarioWith([])) === calm.get(true)).toBe(true)
})
