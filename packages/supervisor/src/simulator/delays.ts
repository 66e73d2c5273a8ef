/** What takes how long in the virtual world, and how much a fault makes of it. */
export const FORK_MS = 5
export const LAST_BREATH_MS = 10
export const DIAGNOSIS_MS = 500
export const RESENT_AFTER_MS = 1000
export const LOST_SHARE = 0.2
export const SLOW_BOOT_FACTOR = 10
/** Of the time that a clock drifts, so much more it shows. */
export const DRIFT = 0.1

/** Load and event loops move on in slices of this length; long ticks are cut into so many. */
const SLICE_MS = 500
const MOST_SLICES = 5

export const sliceMsOf = (tickMs: number): number => tickMs / Math.min(MOST_SLICES, Math.ceil(tickMs / SLICE_MS))
