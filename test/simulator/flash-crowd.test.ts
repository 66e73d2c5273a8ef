import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { resolveOptions } from '../../packages/supervisor/src/config/resolve.ts'
import { comparePeers } from '../../packages/supervisor/src/simulator/compare.ts'
import { readScenario } from '../../packages/supervisor/src/simulator/read-scenario.ts'
import { simulate } from '../../packages/supervisor/src/simulator/simulate.ts'

const file = path.join(import.meta.dirname, '../../packages/supervisor/scenarios/flash-crowd.json')

test('a rush of twenty times the load: at most half as long over the objective as the best of the others, for at most 1.1 times its worker-hours', () => {
  const plan = readScenario(readFileSync(file, 'utf8'), 'flash-crowd')
  const capacity = { ...plan.scenario.host, source: 'host' as const }
  const { fleet, cost } = resolveOptions({ entry: './app.js', ...plan.options }, { baseFolder: '/', environment: {}, capacity, isTerminal: false })
  const ours = simulate(plan, fleet, cost).summary
  const best = comparePeers(plan, fleet, cost)
    .map(({ outcome }) => outcome.summary)
    .reduce((least, each) => (each.sloViolationS < least.sloViolationS ? each : least))
  expect(best.sloViolationS).toBeGreaterThan(0)
  expect(ours.sloViolationS / best.sloViolationS).toBeLessThanOrEqual(0.5)
  expect(ours.workerHours / best.workerHours).toBeLessThanOrEqual(1.1)
})
