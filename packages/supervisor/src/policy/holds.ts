import type { SignalReading } from './decision.ts'
import { advanceShare } from './elsewhere.ts'
import type { ScalingSettings, SurgeSettings, Trigger } from './settings.ts'
import type { Signals } from './signals.ts'
import { type Hold, advanceHold, heldForMs, heldLongEnough } from './window.ts'

type HoldsByName = Readonly<Record<string, Hold | null>>
type TriggersByName = Readonly<Record<string, Trigger>>

/** How long every trigger has held. */
export interface Holds {
  readonly up: HoldsByName
  readonly down: HoldsByName
  readonly surge: HoldsByName
  /** Of what is expected, not of what is. */
  readonly expected: HoldsByName
  /** The share of its time that the busiest worker uses, mean of the last seconds; null where that is not known. */
  readonly busiest: number | null
  /** The same of the others, in the mean. */
  readonly others: number | null
}

export const noHolds: Holds = { up: {}, down: {}, surge: {}, expected: {}, busiest: null, others: null }

export interface Tick {
  readonly nowMs: number
  readonly intervalMs: number
  readonly signals: Signals
  /** The share of its time that the busiest worker uses; null where that is not known. */
  readonly busiest: number | null
  /** The same of the others, in the mean. */
  readonly others: number | null
  /** Means that are to be expected when a worker forked now would serve; empty where nothing is foretold. */
  readonly expected: Readonly<Record<string, number>>
}

/** A rise must be foretold for so long: longer than chance lasts, shorter than any window. */
const FORETOLD_FOR_MS = 3000

/** The thresholds of growth, for what is expected. */
export function expectedTriggers({ predict, up }: ScalingSettings): TriggersByName {
  if (!predict) return NO_TRIGGERS
  return Object.fromEntries(Object.entries(up).map(([name, { threshold }]) => [name, { threshold, forMs: FORETOLD_FOR_MS }]))
}

/** The surge lane as triggers. It opens at its queue threshold, the windows only above theirs: hence the hair's breadth. */
export function surgeTriggers({ surge }: ScalingSettings): TriggersByName {
  if (!surge) return NO_TRIGGERS
  const known = surgeTriggersOf.get(surge)
  if (known) return known
  const triggers = {
    eventLoopUtilization: { threshold: surge.eventLoopUtilization, forMs: surge.forMs },
    queue: { threshold: surge.queue - 1e-9, forMs: surge.forMs },
  }
  surgeTriggersOf.set(surge, triggers)
  return triggers
}

const NO_TRIGGERS: TriggersByName = {}
/** They are asked for several times a tick and change with the settings only. */
const surgeTriggersOf = new WeakMap<SurgeSettings, TriggersByName>()

export function advanceHolds(holds: Holds, tick: Tick, settings: ScalingSettings): Holds {
  return {
    up: advanceSide(holds.up, settings.up, tick, 'above'),
    down: advanceSide(holds.down, settings.down, tick, 'below'),
    surge: advanceSide(holds.surge, surgeTriggers(settings), tick, 'above'),
    expected: advanceSide(holds.expected, expectedTriggers(settings), tick, 'expected'),
    busiest: advanceShare(holds.busiest ?? null, tick.busiest, tick.intervalMs),
    others: advanceShare(holds.others ?? null, tick.others, tick.intervalMs),
  }
}

function advanceSide(holds: HoldsByName, triggers: TriggersByName, tick: Tick, reading: 'above' | 'below' | 'expected'): HoldsByName {
  let next: Record<string, Hold | null> | null = null
  const side = reading === 'below' ? 'below' : 'above'
  for (const name in triggers) {
    const signal = tick.signals[name]
    const value = (reading === 'expected' ? tick.expected[name] : reading === 'above' ? signal?.up : signal?.down) ?? null
    const hold = advanceHold(holds[name] ?? null, value, triggers[name] as Trigger, side, tick.nowMs, tick.intervalMs)
    // At rest none holds, tick after tick: then the holds stay the ones that they are.
    if (hold !== holds[name]) (next ??= { ...holds })[name] = hold
  }
  return next ?? holds
}

export type Readings = Readonly<Record<string, SignalReading>>

/** The triggers that hold, with the value people would see; `longEnough` keeps only those whose window is full. */
export function readings(holds: HoldsByName, triggers: TriggersByName, tick: Tick, longEnough: boolean): Readings {
  const found: Record<string, SignalReading> = {}
  for (const name in triggers) {
    const hold = holds[name] ?? null
    const trigger = triggers[name] as Trigger
    if (!hold || (longEnough && !heldLongEnough(hold, trigger, tick.nowMs, tick.intervalMs))) continue
    found[name] = readingOf(hold, trigger, name, tick)
  }
  return found
}

/** Every trigger of a side, whether it holds or not: the full picture for an explanation. */
export function allReadings(holds: HoldsByName, triggers: TriggersByName, tick: Tick): Readings {
  const all: Record<string, SignalReading> = {}
  for (const name in triggers) {
    all[name] = readingOf(holds[name] ?? null, triggers[name] as Trigger, name, tick)
  }
  return all
}

/**
 * Of a trigger that holds, the mean that keeps it: the last value alone may well lie on the other side of the threshold.
 */
function readingOf(hold: Hold | null, { threshold }: Trigger, name: string, { signals, nowMs }: Tick): SignalReading {
  const value = hold?.mean ?? signals[name]?.shown ?? null
  return { value: value === null ? null : rounded(value), threshold: rounded(threshold), heldForMs: Math.round(heldForMs(hold, nowMs)) }
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000
