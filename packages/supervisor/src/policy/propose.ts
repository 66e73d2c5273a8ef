import type { Decision } from './decision.ts'
import { describeReadings } from './describe.ts'
import { type Holds, type Readings, type Tick, allReadings, readings, surgeTriggers } from './holds.ts'
import type { ScalingSettings } from './settings.ts'

/** What the signals alone call for, before cooldowns and limits have their say. */
export interface Proposal {
  readonly lane: Decision['lane']
  readonly wanted: number
  readonly reason: string
  readonly signals: Readings
}

export interface Bounds {
  /** The size the fleet has or is on its way to. */
  readonly target: number
  readonly min: number
  readonly max: number
}

/** Floors and ceilings first, then the surge lane, then growth if any up-trigger held its window, then shrinking if all down-triggers did. */
export function propose(holds: Holds, tick: Tick, bounds: Bounds, settings: ScalingSettings): Proposal {
  const { target, min, max } = bounds
  if (target < min) return { lane: 'bounds', wanted: min, reason: `the floor is ${min}`, signals: {} }
  if (target > max) return { lane: 'bounds', wanted: max, reason: `the ceiling is ${max}`, signals: {} }
  const surge = readings(holds.surge, surgeTriggers(settings), tick, true)
  if (count(surge) > 0)
    return { lane: 'surge', wanted: grown(surge, tick, target, settings), reason: `surge: ${describeReadings(surge, 'above')}`, signals: surge }
  const up = readings(holds.up, settings.up, tick, true)
  if (count(up) > 0) return { lane: 'window', wanted: grown(up, tick, target, settings), reason: describeReadings(up, 'above'), signals: up }
  const down = readings(holds.down, settings.down, tick, true)
  if (target > min && count(down) > 0 && count(down) === count(settings.down)) {
    const wanted = Math.max(min, target - settings.stepDown)
    return { lane: 'window', wanted, reason: `all is quiet: ${describeReadings(down, 'below')}`, signals: down }
  }
  return atRest(holds, tick, bounds, settings)
}

/** A fixed step as it was configured; else `ceil(target × pressure)`, at least one more, at most double. */
function grown(signals: Readings, tick: Tick, target: number, settings: ScalingSettings): number {
  if (settings.stepUp !== 'proportional') return target + Math.max(1, settings.stepUp)
  const pressure = Math.max(...Object.entries(signals).map(([name, { threshold }]) => pressureOf(tick.signals[name]?.up ?? null, threshold)))
  // A hair less, because 4 × (1.05 / 0.7) is a little more than 6 for a computer.
  const step = Math.ceil(target * pressure - 1e-9) - target
  return target + Math.max(1, Math.min(step, target))
}

/** Of the value that counts warming workers as idle: what is on its way is not ordered twice. */
const pressureOf = (value: number | null, threshold: number): number => (value === null || threshold <= 0 ? 1 : value / threshold)

function atRest(holds: Holds, tick: Tick, { target, min }: Bounds, settings: ScalingSettings): Proposal {
  const building = readings(holds.up, settings.up, tick, false)
  const signals = allReadings(holds.up, settings.up, tick)
  if (count(building) > 0) return { lane: 'window', wanted: target, reason: `${describeReadings(building, 'above')}: not long enough yet`, signals }
  const calming = readings(holds.down, settings.down, tick, false)
  if (target > min && count(calming) > 0 && count(calming) === count(settings.down)) {
    return { lane: 'window', wanted: target, reason: `all is quiet: ${describeReadings(calming, 'below')}: not long enough yet`, signals: calming }
  }
  return { lane: 'window', wanted: target, reason: 'no signal calls for a change', signals }
}

const count = (record: object): number => Object.keys(record).length
