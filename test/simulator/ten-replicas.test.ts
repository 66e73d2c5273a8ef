import { expect, test } from 'vitest'
import { createArrivals } from '../../packages/supervisor/src/simulator/arrivals.ts'
import { createRandom } from '../../packages/supervisor/src/simulator/random.ts'
import { readScenario } from '../../packages/supervisor/src/simulator/read-scenario.ts'
import { Service } from '../../packages/supervisor/src/simulator/service.ts'
import { simulate } from '../../packages/supervisor/src/simulator/simulate.ts'
import { fleetSettings } from '../fleet/driver.ts'

const prices = { perReplicaMonth: 20, fixedMonth: 20, budgetMonth: null }
/** One core for one worker. */
const small = fleetSettings({ workers: { max: 1 }, capacity: { cpus: 1 } })

test('up a long ramp one replica becomes ten, and down again one; nothing is cut, nobody waits, and no rule is broken', () => {
  const load = [
    { atS: 0, requestsPerSecond: 20 },
    { atS: 3600, requestsPerSecond: 1600 },
    { atS: 4200, requestsPerSecond: 1600 },
    { atS: 6000, requestsPerSecond: 20 },
  ]
  const replicas = { min: 1, max: 10, bootMs: 5000 }
  const plan = readScenario(JSON.stringify({ durationS: 12_000, load, host: { cpus: 1 }, replicas }), 's.json')
  const { summary, timeline } = simulate(plan, small, prices)
  const counts = timeline.map((moment) => moment.replicas)
  expect([summary.violations, summary.cut, summary.sloViolationS]).toEqual([[], 0, 0])
  expect([counts.at(0), Math.max(...counts), counts.at(-1)]).toEqual([1, 10, 1])
  // Never fewer on the way up, and never more on the way down.
  const top = counts.indexOf(10)
  expect(counts.filter((count, index) => index > 0 && index <= top && count < (counts[index - 1] ?? 0))).toEqual([])
  const end = counts.lastIndexOf(10)
  expect(counts.filter((count, index) => index > end && count > (counts[index - 1] ?? 0))).toEqual([])
})

test('the balancer deals by chance: not one request is lost or made, and each replica gets its part as chance has it', () => {
  const REPLICAS = 4
  const SECONDS = 300
  // What is dealt in the last moment is seen only in the next.
  const load = [
    { atS: 0, requestsPerSecond: 400 },
    { atS: SECONDS - 10, requestsPerSecond: 0, step: true },
  ]
  const replicas = { min: REPLICAS, max: REPLICAS, follow: false }
  const { scenario, startsAtMs } = readScenario(JSON.stringify({ durationS: SECONDS, load, replicas }), 's.json')
  const arrived = new Map<string, number[]>()
  let total = 0
  const service = new Service({
    settings: fleetSettings({ workers: { min: 2 } }),
    scenario,
    replicas: scenario.replicas as NonNullable<typeof scenario.replicas>,
    startsAtMs,
    helm: {},
    see: (id, { event, ledger }) => {
      if (event.kind === 'sampled') arrived.set(id, [...(arrived.get(id) ?? []), ledger.arrived])
    },
    tick: (_, ledger) => {
      total = ledger.arrived
    },
  })
  service.run(SECONDS * 1000)
  // The same load by itself, before anybody deals it.
  const arrivals = createArrivals(scenario.load, createRandom(scenario.seed + 1))
  const sent = Array.from({ length: SECONDS * 2 }, (_, slice) => arrivals.next((slice + 1) * 500, 500)).reduce((sum, some) => sum + some, 0)
  expect(total).toBe(sent)
  const last = [...arrived.values()].map((counts) => counts.at(-1) ?? 0)
  expect(last.reduce((sum, count) => sum + count, 0)).toBe(sent)
  // Of so many requests, each to one of four: four standard deviations.
  const deviation = Math.sqrt(sent * (1 / REPLICAS) * (1 - 1 / REPLICAS))
  for (const count of last) expect(Math.abs(count - sent / REPLICAS)).toBeLessThan(4 * deviation)
  // Second by second, once all of them serve: off the even part by as much as dice would have it, or a little less, and not as little as taking turns.
  const seconds = Array.from({ length: SECONDS - 20 }, (_, index) =>
    [...arrived.values()].map((counts) => (counts[index + 6] ?? 0) - (counts[index + 5] ?? 0)),
  )
  const squares = seconds.flatMap((parts) => {
    const even = parts.reduce((sum, part) => sum + part, 0) / REPLICAS
    return parts.map((part) => (part - even) ** 2 / (even * (1 - 1 / REPLICAS)))
  })
  const ofChance = squares.reduce((sum, square) => sum + square, 0) / squares.length
  expect(ofChance).toBeGreaterThan(0.5)
  expect(ofChance).toBeLessThan(1.2)
})
