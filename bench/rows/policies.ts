import { readFileSync } from 'node:fs'
import { resolveOptions } from '../../packages/supervisor/src/config/resolve.ts'
import { comparePeers } from '../../packages/supervisor/src/simulator/compare.ts'
import type { Plan } from '../../packages/supervisor/src/simulator/plan.ts'
import { readScenario } from '../../packages/supervisor/src/simulator/read-scenario.ts'
import { type Summary, simulate } from '../../packages/supervisor/src/simulator/simulate.ts'
import type { Outcome, Row } from '../harness/row.ts'

const MUST_SLOW = 0.5
const MUST_HOURS = 1.1
const MUST_RAMP = 0.5
const FLASH_CROWD = new URL('../../packages/supervisor/scenarios/flash-crowd.json', import.meta.url)

export const policies: Row = {
  name: 'policies',
  title:
    'In virtual time: seconds over the objective and worker-hours in a rush of twenty times the load, ours : the best of three others; on a ramp with 8 s boots and no spare, prediction on : off',
  must: `≤ ${MUST_SLOW}, ≤ ${MUST_HOURS}, ≤ ${MUST_RAMP}`,
  run,
}

/** Virtual time: every run of it gives the same. */
// oxlint-disable-next-line require-await -- every row answers with a promise
async function run(): Promise<Outcome> {
  const rush = readScenario(readFileSync(FLASH_CROWD, 'utf8'), 'flash-crowd')
  const { fleet, cost } = settingsOf(rush, {})
  const ours = simulate(rush, fleet, cost).summary
  const others = comparePeers(rush, fleet, cost).map(({ name, outcome }) => ({ name, ...outcome.summary }))
  const best = others.reduce((least, each) => (each.sloViolationS < least.sloViolationS ? each : least))
  const [on, off] = [ramp(true), ramp(false)]
  const [slow, hours, foreseen] = [ours.sloViolationS / best.sloViolationS, ours.workerHours / best.workerHours, on.sloViolationS / off.sloViolationS]
  return {
    measured: `${slow.toFixed(2)}, ${hours.toFixed(2)}, ${foreseen.toFixed(2)}`,
    spread: 'none: virtual time',
    reached: slow <= MUST_SLOW && hours <= MUST_HOURS && foreseen <= MUST_RAMP,
    comparison: others.map(({ name, sloViolationS, workerHours }) => `${name} ${sloViolationS} s, ${workerHours} h`).join('; '),
    details: { ours, others, ramp: { on, off } },
  }
}

/** With a spare that waits, no boot is in the way and prediction has nothing to spare anybody. */
function ramp(predict: boolean): Summary {
  const load = [
    { atS: 0, requestsPerSecond: 40 },
    { atS: 30, requestsPerSecond: 40 },
    { atS: 210, requestsPerSecond: 1200 },
  ]
  const plan = readScenario(JSON.stringify({ durationS: 240, load, worker: { bootMs: 8000 }, host: { cpus: 10, memoryBytes: 1e10 } }), 'ramp')
  const { fleet, cost } = settingsOf(plan, { workers: { spares: 0 }, scaling: { predict } })
  return simulate(plan, fleet, cost).summary
}

function settingsOf(plan: Plan, options: object) {
  const capacity = { ...plan.scenario.host, source: 'host' as const }
  return resolveOptions({ entry: './hello.mjs', ...options }, { baseFolder: import.meta.dirname, environment: {}, capacity, isTerminal: false })
}
