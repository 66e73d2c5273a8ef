import type { Advice } from './advice.ts'
import type { Decision } from './decision.ts'
import { describeReadings } from './describe.ts'
import { shrinkStep } from './give-back.ts'
import { type Holds, type Readings, type Tick, allReadings, expectedTriggers, readings, surgeTriggers } from './holds.ts'
import type { ScalingSettings } from './settings.ts'

/** What the signals alone call for, before cooldowns and limits have their say. */
export interface Proposal {
  readonly lane: Decision['lane']
  readonly wanted: number
  readonly reason: string
  readonly signals: Readings
}

/** Where no threshold says when an event loop has no time left. */
const FULL_LOOP = 0.8
/** A backlog that is down to this share of its mean since the last order melts; chance moves one by less. */
const MELTING_SHARE = 0.75

export interface Bounds {
  /** The size the fleet has or is on its way to. */
  readonly target: number
  readonly min: number
  readonly max: number
  /** Workers that surges added and that have not left since. */
  readonly surged: number
}

/** Floors and ceilings first, then the user's own policy if it wants to; else the surge lane, then growth if any up-trigger held its window or a forecast its own, then shrinking if all down-triggers did. */
export function propose(holds: Holds, tick: Tick, bounds: Bounds, settings: ScalingSettings, advice: Advice | null): Proposal {
  const { target, min, max } = bounds
  if (target < min) return { lane: 'bounds', wanted: min, reason: `the floor is ${min}`, signals: {} }
  if (target > max) return { lane: 'bounds', wanted: max, reason: `the ceiling is ${max}`, signals: {} }
  if (advice) return advised(advice, holds, tick, bounds, settings)
  const surge = readings(holds.surge, surgeTriggers(settings), tick, true)
  if (count(surge) > 0 && !isWorkingOff(surge, holds, tick)) return surging(surge, tick, target, settings)
  const growth = greater(growthByWindows(holds, tick, target, settings), foretoldGrowth(holds, tick, target, settings))
  if (growth) return growth
  const down = target > min ? readings(holds.down, settings.down, tick, true) : {}
  if (count(down) > 0 && count(down) === count(settings.down)) {
    const wanted = Math.max(min, target - shrinkStep(target, bounds.surged, down, settings.stepDown))
    const atOnce = target - wanted > settings.stepDown ? '; what a surge added goes at once, as far as it stays quiet' : ''
    return { lane: 'window', wanted, reason: `all is quiet: ${describeReadings(down, 'below')}${atOnce}`, signals: down }
  }
  return atRest(holds, tick, bounds, settings)
}

/** Full loops alone, in front of a backlog that melts: those that are there, or ordered, are winning already. */
function isWorkingOff(surge: Readings, holds: Holds, tick: Tick): boolean {
  const backlog = holds.up['queue']
  const queue = tick.signals['queue']?.shown ?? null
  return !surge['queue'] && !!backlog && queue !== null && queue < backlog.mean * MELTING_SHARE
}

/**
 * Every two seconds, before those ordered last have made a difference. So a backlog in front of loops that have time left, which will work it
 * off, orders one more worker at a time, and not in proportion to what has piled up.
 */
function surging(surge: Readings, tick: Tick, target: number, settings: ScalingSettings): Proposal {
  const [name, ...others] = Object.keys(surge)
  const isBacklog = others.length === 0 && name !== undefined && settings.heldWhileIdle.includes(name)
  const fullLoop = settings.up['eventLoopUtilization']?.threshold ?? FULL_LOOP
  const hasTimeLeft = (tick.signals['eventLoopUtilization']?.shown ?? 1) <= fullLoop
  const wanted = isBacklog && hasTimeLeft ? target + 1 : grown(surge, tick, target, settings)
  return { lane: 'surge', wanted, reason: `surge: ${describeReadings(surge, 'above')}`, signals: surge }
}

/** The user's own policy has the word of the signals, and none over the floor; the ceiling and the container stand in the way later. */
function advised(advice: Advice, holds: Holds, tick: Tick, { min }: Bounds, settings: ScalingSettings): Proposal {
  const wanted = Math.max(min, advice.workers)
  const said = advice.reason ?? `${advice.workers} wanted`
  const reason = `scaling.policy: ${said}${wanted > advice.workers ? ` (${advice.workers} is below the floor of ${min})` : ''}`
  return { lane: 'custom', wanted, reason, signals: allReadings(holds.up, settings.up, tick) }
}

function growthByWindows(holds: Holds, tick: Tick, target: number, settings: ScalingSettings): Proposal | null {
  const up = readings(holds.up, settings.up, tick, true)
  if (count(up) === 0) return null
  return { lane: 'window', wanted: grown(up, tick, target, settings), reason: describeReadings(up, 'above'), signals: up }
}

/** A forecast only ever adds to what the windows call for: on a fall that is foretold nothing is done. */
function foretoldGrowth(holds: Holds, tick: Tick, target: number, settings: ScalingSettings): Proposal | null {
  const foretold = readings(holds.expected, expectedTriggers(settings), tick, true)
  if (count(foretold) === 0) return null
  const pressure = Math.max(...Object.values(foretold).map(({ value, threshold }) => pressureOf(value, threshold)))
  const reason = `the load rises; when a worker forked now could serve: ${describeReadings(foretold, 'above')}`
  return { lane: 'forecast', wanted: grownBy(pressure, target, settings), reason, signals: foretold }
}

function greater(one: Proposal | null, other: Proposal | null): Proposal | null {
  return one && other ? (other.wanted > one.wanted ? other : one) : (one ?? other)
}

/** A fixed step as it was configured; else `ceil(target × pressure)`, at least one more, at most double. */
function grown(signals: Readings, tick: Tick, target: number, settings: ScalingSettings): number {
  const pressures = Object.entries(signals).map(([name, { threshold }]) => pressureOf(tick.signals[name]?.up ?? null, threshold))
  return grownBy(Math.max(...pressures), target, settings)
}

function grownBy(pressure: number, target: number, settings: ScalingSettings): number {
  if (settings.stepUp !== 'proportional') return target + Math.max(1, settings.stepUp)
  // A hair less, because 4 × (1.05 / 0.7) is a little more than 6 for a computer.
  const step = Math.ceil(target * pressure - 1e-9) - target
  return target + Math.max(1, Math.min(step, target))
}

/** Of the value that counts warming workers as idle: what is on its way is not ordered twice. */
const pressureOf = (value: number | null, threshold: number): number => (value === null || threshold <= 0 ? 1 : value / threshold)

function atRest(holds: Holds, tick: Tick, { target, min }: Bounds, settings: ScalingSettings): Proposal {
  const building = readings(holds.up, settings.up, tick, false)
  const calming = target > min && count(building) === 0 ? readings(holds.down, settings.down, tick, false) : {}
  if (count(calming) > 0 && count(calming) === count(settings.down)) {
    return { lane: 'window', wanted: target, reason: `all is quiet: ${describeReadings(calming, 'below')}: not long enough yet`, signals: calming }
  }
  const reason = count(building) > 0 ? `${describeReadings(building, 'above')}: not long enough yet` : 'no signal calls for a change'
  return { lane: 'window', wanted: target, reason, signals: allReadings(holds.up, settings.up, tick) }
}

function count(record: object): number {
  let sum = 0
  for (const _ in record) sum++
  return sum
}
