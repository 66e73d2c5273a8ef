import type { ScalingSettings } from './settings.ts'

/**
 * Growth that comes soon after shrinking says that the shrinking was a mistake. Each time, the fleet takes twice as long before it
 * shrinks again, after the penalty of uWSGI's busyness algorithm; a long time without such a mistake takes one doubling back.
 */
export interface Flaps {
  readonly count: number
  /** When it was last counted up or down. */
  readonly atMs: number
}

export const noFlaps: Flaps = { count: 0, atMs: 0 }

/** Eight times the cooldown, 40 minutes with the defaults: whoever has peaks so often needs what they need. */
const MOST_FLAPS = 3
/** In cooldowns as long as they are at that moment: how soon after shrinking growth is a flap, and how long one is remembered. */
const SOON_COOLDOWNS = 2
const REMEMBERED_COOLDOWNS = 4

type FlapSettings = Pick<ScalingSettings, 'flapPenalty' | 'cooldownDownMs'>

export function penaltyFactor({ count }: Flaps, { flapPenalty }: FlapSettings): number {
  return flapPenalty ? 2 ** count : 1
}

export function downCooldownMs(flaps: Flaps, settings: FlapSettings): number {
  return settings.cooldownDownMs * penaltyFactor(flaps, settings)
}

/** The load called for growth. */
export function flapsAfterGrowth(flaps: Flaps, shrankAtMs: number | null, nowMs: number, settings: FlapSettings): Flaps {
  const isSoon = shrankAtMs !== null && nowMs - shrankAtMs < SOON_COOLDOWNS * downCooldownMs(flaps, settings)
  return isSoon ? { count: Math.min(flaps.count + 1, MOST_FLAPS), atMs: nowMs } : flaps
}

/** Once a tick. */
export function forgetFlaps(flaps: Flaps, nowMs: number, settings: FlapSettings): Flaps {
  if (flaps.count === 0 || nowMs - flaps.atMs < REMEMBERED_COOLDOWNS * downCooldownMs(flaps, settings)) return flaps
  return { count: flaps.count - 1, atMs: nowMs }
}
