import type { PolicyInput } from '../policy/advice.ts'
import { countReady } from './census.ts'
import type { Fleet } from './fleet.ts'
import { fleetSignals } from './observe.ts'

/** The fleet as a policy of the user's own sees it: a copy, so that nothing it does to it matters. */
export function policyInputOf(fleet: Fleet): PolicyInput {
  const signals = Object.fromEntries(Object.entries(fleetSignals(fleet)).map(([name, { shown }]) => [name, shown]))
  const { min, max } = fleet.limits
  return { nowMs: fleet.nowMs, workers: fleet.target, ready: countReady(fleet), min, max, signals, decision: fleet.standing }
}
