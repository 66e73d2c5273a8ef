import type { SignalReading } from './decision.ts'
import type { ScalingSettings, Trigger } from './settings.ts'
import type { Signals } from './signals.ts'
import { type Hold, advanceHold, heldForMs } from './window.ts'

type HoldsByName = Readonly<Record<string, Hold | null>>
type TriggersByName = Readonly<Record<string, Trigger>>

/** How long every trigger has held. */
export interface Holds {
  readonly up: HoldsByName
  readonly down: HoldsByName
  readonly surge: HoldsByName
}

export const noHolds: Holds = { up: {}, down: {}, surge: {} }

export interface Tick {
  readonly nowMs: number
  readonly intervalMs: number
  readonly signals: Signals
}

/** The surge lane as triggers. It opens at its queue threshold, the windows only above theirs: hence the hair's breadth. */
export function surgeTriggers(settings: ScalingSettings): TriggersByName {
  const { surge } = settings
  if (!surge) return {}
  return {
    eventLoopUtilization: { threshold: surge.eventLoopUtilization, forMs: surge.forMs },
    queue: { threshold: surge.queue - 1e-9, forMs: surge.forMs },
  }
}

export function advanceHolds(holds: Holds, tick: Tick, settings: ScalingSettings): Holds {
  return {
    up: advanceSide(holds.up, settings.up, tick, 'above'),
    down: advanceSide(holds.down, settings.down, tick, 'below'),
    surge: advanceSide(holds.surge, surgeTriggers(settings), tick, 'above'),
  }
}

function advanceSide(holds: HoldsByName, triggers: TriggersByName, tick: Tick, side: 'above' | 'below'): HoldsByName {
  const next: Record<string, Hold | null> = {}
  for (const name in triggers) {
    const signal = tick.signals[name]
    const value = (side === 'above' ? signal?.up : signal?.down) ?? null
    next[name] = advanceHold(holds[name] ?? null, value, triggers[name] as Trigger, side, tick.nowMs, tick.intervalMs)
  }
  return next
}

/** Ticks come a little early or late, so a window of two ticks is 1,995 ms as often as 2,005: it must not take a third tick for that. */
const JITTER_SHARE = 0.1

export type Readings = Readonly<Record<string, SignalReading>>

/** The triggers that hold, with the value people would see; `longEnough` keeps only those whose window is full. */
export function readings(holds: HoldsByName, triggers: TriggersByName, tick: Tick, longEnough: boolean): Readings {
  const found: Record<string, SignalReading> = {}
  for (const name in triggers) {
    const hold = holds[name] ?? null
    const { threshold, forMs } = triggers[name] as Trigger
    const heldMs = heldForMs(hold, tick.nowMs)
    if (!hold || (longEnough && heldMs + tick.intervalMs * JITTER_SHARE < forMs)) continue
    found[name] = { value: tick.signals[name]?.shown ?? null, threshold: Math.round(threshold * 1000) / 1000, heldForMs: Math.round(heldMs) }
  }
  return found
}

/** Every trigger of a side, whether it holds or not: the full picture for an explanation. */
export function allReadings(holds: HoldsByName, triggers: TriggersByName, tick: Tick): Readings {
  const all: Record<string, SignalReading> = {}
  for (const name in triggers) {
    const { threshold } = triggers[name] as Trigger
    all[name] = { value: tick.signals[name]?.shown ?? null, threshold, heldForMs: Math.round(heldForMs(holds[name] ?? null, tick.nowMs)) }
  }
  return all
}
