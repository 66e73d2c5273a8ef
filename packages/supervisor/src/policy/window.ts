import type { Trigger } from './settings.ts'

/**
 * How long a condition has held. One noisy tick must not throw away a minute of evidence, and an old peak must not outlive
 * its cause: so a hold begins with the first value beyond the threshold and lasts as long as the recent mean stays beyond it.
 */
export interface Hold {
  readonly sinceMs: number
  readonly mean: number
}

/** The mean forgets with a third of the window: the last third counts most, and a value that returns for good ends the hold well inside it. */
const FORGETTING_SHARE = 1 / 3

/**
 * Carries a hold over one more tick. A value that is not known (null) ends it: what nobody reported proves nothing.
 * The value covers the interval that ends now, so a new hold began when the interval did.
 */
export function advanceHold(
  hold: Hold | null,
  value: number | null,
  trigger: Trigger,
  side: 'above' | 'below',
  nowMs: number,
  intervalMs: number,
): Hold | null {
  if (value === null) return null
  if (!hold) return isBeyond(value, trigger, side) ? { sinceMs: nowMs - intervalMs, mean: value } : null
  const memoryMs = Math.max(trigger.forMs * FORGETTING_SHARE, 1)
  const weight = 1 - Math.exp(-intervalMs / memoryMs)
  const mean = hold.mean + weight * (value - hold.mean)
  return isBeyond(mean, trigger, side) ? { sinceMs: hold.sinceMs, mean } : null
}

const isBeyond = (value: number, { threshold }: Trigger, side: 'above' | 'below'): boolean =>
  side === 'above' ? value > threshold : value < threshold

export function heldForMs(hold: Hold | null, nowMs: number): number {
  return hold ? nowMs - hold.sinceMs : 0
}

/** Ticks come a little early or late, so a window of two ticks is 1,995 ms as often as 2,005: it must not take a third tick for that. */
const JITTER_SHARE = 0.1

export function heldLongEnough(hold: Hold | null, { forMs }: Trigger, nowMs: number, intervalMs: number): boolean {
  return hold !== null && heldForMs(hold, nowMs) + intervalMs * JITTER_SHARE >= forMs
}
