import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { resolveOptions } from '../../packages/supervisor/src/config/resolve.ts'
import { readScenario } from '../../packages/supervisor/src/simulator/read-scenario.ts'
import { type Outcome, simulate, toJson } from '../../packages/supervisor/src/simulator/simulate.ts'
import { Warnings } from '../../packages/supervisor/src/simulator/warnings.ts'

function outcomeOf(text: string): Outcome {
  const plan = readScenario(text, 's.json')
  const { cpus, memoryBytes } = plan.scenario.host
  const context = { baseFolder: import.meta.dirname, environment: {}, capacity: { cpus, memoryBytes, source: 'host' as const }, isTerminal: false }
  const { fleet, cost } = resolveOptions({ entry: './app.js', ...plan.options }, context)
  return simulate(plan, { ...fleet, tickMs: plan.tickMs }, cost)
}

/** From one second to the next four times what two workers answer in calm. */
const rush = {
  durationS: 300,
  load: [
    { atS: 0, requestsPerSecond: 60 },
    { atS: 60, requestsPerSecond: 490, step: true },
  ],
  request: { cpuMs: 4, waitMs: 20 },
  worker: { memoryPerRequestBytes: 1000 },
}
const library = path.join(import.meta.dirname, '../../packages/supervisor/scenarios')
const heldBackIn = ({ decisions }: Outcome): string => decisions.flatMap(({ heldBackBy }) => heldBackBy).join('\n')

const saturated: readonly (readonly [by: string, scenario: string, heldBackBy: RegExp])[] = [
  ['memory', readFileSync(path.join(library, 'memory-bound.json'), 'utf8'), /capacity: .* MB memory are used .*replicas are needed/],
  ['CPU', JSON.stringify({ ...rush, host: { cpus: 2 } }), /capacity: \S+ of 2 CPUs \(host\) are used; more workers cannot help, replicas are needed/],
  [
    'the floor of database connections',
    JSON.stringify({ ...rush, config: { database: { budget: 15, reserve: 3, minPerWorker: 2, replicas: 2 } } }),
    /database\.budget: 6 connections feed 2 workers with 2 each/,
  ],
]

test.for(saturated)('a replica that is saturated by %s says how many replicas are needed', ([, scenario, heldBackBy]) => {
  const outcome = outcomeOf(scenario)
  expect(outcome.summary.violations).toEqual([])
  expect(heldBackIn(outcome)).toMatch(heldBackBy)
  const [first] = outcome.warnings
  expect(first).toMatch(
    /^At \d+ s the supervisor says: needs replicas: 2 \(1 now\): the load calls for \d+ workers, and a replica carries [23] workers; 60 USD/,
  )
  expect(toJson(outcome)).toMatchObject({ warnings: outcome.warnings })
})

test('what one replica carries needs no other', () => {
  expect(outcomeOf(JSON.stringify(rush)).warnings).toEqual([])
})

const jobs = { scaling: { up: { jobs: { above: 100 } } } }

test('what the core warns of is told, once', () => {
  const [warning, ...others] = outcomeOf(JSON.stringify({ ...rush, config: jobs })).warnings
  expect(warning).toMatch(/^No worker reports the signal "jobs", so scaling\.up\.jobs has no say/)
  expect(others).toEqual([])
})

test('the same of several replicas is told once as well', () => {
  const { warnings } = outcomeOf(JSON.stringify({ ...rush, config: jobs, replicas: { min: 3 } }))
  expect(warnings.filter((sentence) => sentence.includes('"jobs"'))).toHaveLength(1)
})

test('of a run that warns for ever the first sentences are kept, and how many are left out', () => {
  const warnings = new Warnings()
  for (let count = 0; count < 1000; count++) warnings.hear([{ kind: 'fleet:warning', message: `warning ${count}` }], 'somebody', 0)
  expect(warnings.told()).toHaveLength(51)
  expect(warnings.told()[0]).toBe('warning 0')
  expect(warnings.told().at(-1)).toBe('… and 950 warnings more.')
})
