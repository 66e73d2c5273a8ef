import { expect, test } from 'vitest'
import { readScenario } from '../../packages/supervisor/src/simulator/read-scenario.ts'
import { type Outcome, type RunOptions, simulate } from '../../packages/supervisor/src/simulator/simulate.ts'
import { fleetSettings } from '../fleet/driver.ts'
import { neverHeals } from './mutants.ts'

const DURATION_S = 120
const prices = { perReplicaMonth: 20, fixedMonth: 20, budgetMonth: null }
type Settings = Parameters<typeof fleetSettings>[0]

/** A run with what goes wrong in it, much of it just before the end. */
function outcomeOf(more: object, settings: Settings = {}, options: RunOptions = {}): Outcome {
  const scenario = { durationS: DURATION_S, load: [{ atS: 0, requestsPerSecond: 200 }], ...more }
  return simulate(readScenario(JSON.stringify(scenario), 's.json'), fleetSettings(settings), prices, options)
}

/** One worker, and nobody sees that it hangs. */
const unseen: Settings = { workers: { max: 1 }, health: { stuckAfterMs: 1e12 } }
/** Two are wanted, whatever the load. */
const pair: Settings = { workers: { min: 2, max: 2 } }

const late = (kind: string, forS = 3600, worker: 'any' | number = 'any'): object => ({ faults: [{ atS: DURATION_S - 2, kind, worker, forS }] })

test.for([
  'crash',
  'hang',
  'boot-crash',
  'slow-boot',
  'drop-reports',
  'late-reports',
  'lost-messages',
  'doubled-messages',
  'clock-drift',
  'redis-away',
  'slow-database',
  'busy-neighbour',
])('%s at the very end ends with the run, and the fleet heals', (kind) => {
  const { summary } = outcomeOf({ ...late(kind), operator: [{ atS: DURATION_S - 3, ask: 'reload' }] }, { workers: { min: 2 } })
  expect(summary.violations).toEqual([])
})

test('a primary that stands still at the end is waited for, up to a bound', () => {
  for (const forS of [300, 100_000]) expect(outcomeOf(late('paused-primary', forS)).summary.violations).toEqual([])
  const hung = { faults: [{ atS: 60, kind: 'hang' }, ...Object.values(late('paused-primary', 300)).flat()] }
  const { violations } = outcomeOf(hung, unseen).summary
  expect(violations).toEqual([expect.stringMatching(/requests wait/)])
})

test('what heals after the end is no part of the outcome', () => {
  const { timeline, decisions, summary } = outcomeOf(late('crash'), { workers: { min: 2 } })
  expect(timeline).toHaveLength(DURATION_S)
  for (const { atMs } of decisions) expect(atMs).toBeLessThanOrEqual(DURATION_S * 1000)
  expect(summary.requests).toBeGreaterThan(190 * DURATION_S)
  expect(summary.requests).toBeLessThan(210 * DURATION_S)
  expect(summary.restarts).toBe(1)
})

test('a fleet that never heals is a broken rule, of one replica as of several', () => {
  const { summary, brokenAtStep, transcript, timeline } = outcomeOf(late('crash'), pair, { step: neverHeals })
  expect(summary.violations).toEqual(['1 workers are ready and 0 boot after all faults have ended; the target is 2'])
  expect(brokenAtStep).toBeGreaterThan(DURATION_S)
  expect(transcript.length).toBeGreaterThan(0)
  expect(timeline).toHaveLength(DURATION_S)
  const several = outcomeOf({ ...late('crash'), replicas: { min: 2 } }, pair, { step: neverHeals })
  expect(several.summary.violations.join()).toMatch(/^replica \d+: 1 workers are ready and 0 boot after/)
  expect(outcomeOf({ ...late('crash'), replicas: { min: 2 } }).summary.violations).toEqual([])
})

test('requests that wait for ever are a broken rule though every worker seems well', () => {
  const { violations } = outcomeOf(late('hang'), unseen).summary
  expect(violations).toEqual([expect.stringMatching(/requests wait after all faults have ended/)])
})

test('a queue that a rush has left need not be over, and an app that failed too often may have ended', () => {
  const rush = outcomeOf({ load: [{ atS: 0, requestsPerSecond: 5000 }] }, { workers: { max: 2 } })
  expect(rush.summary.maxQueue).toBeGreaterThan(10_000)
  expect(rush.summary.violations).toEqual([])
  const given = outcomeOf({ faults: [{ atS: 0, kind: 'boot-crash', forS: DURATION_S }] })
  expect(given.summary.answered).toBe(0)
  expect(given.summary.violations).toEqual([])
})
