/** Earlier than this part of a second after we saw it, a request cannot have begun: clocks of two machines differ a little. */
const MOST_SKEW_MS = 1000
/** Longer than this no proxy waits; what says so has another unit, or a clock that is wrong. */
const LONGEST_MS = 600_000
/** Two zeros more than nanoseconds need. */
const LONGEST_HEADER = 24

/** Upper ends of what is taken for seconds, milliseconds and microseconds since 1970, and what makes milliseconds of it. */
const UNITS: readonly (readonly [below: number, perMs: number])[] = [
  [1e11, 0.001],
  [1e14, 1],
  [1e17, 1000],
  [1e20, 1_000_000],
]

/**
 * How long a request waited before it reached us, by the `X-Request-Start` of a proxy: a unix time, with or without `t=`, in whichever unit
 * (Railway and Heroku write milliseconds, nginx seconds with a fraction, Apache microseconds). Null for whatever makes no sense.
 */
export function queueTimeMs(header: string | readonly string[] | undefined, nowUnixMs: number): number | null {
  // Two of them, and one is not from the proxy next to us.
  if (typeof header !== 'string' || header.length > LONGEST_HEADER) return null
  const digits = /^(?:t=)?(\d+(?:\.\d+)?)$/.exec(header)?.[1]
  if (digits === undefined) return null
  const value = Number(digits)
  const perMs = UNITS.find(([below]) => value < below)?.[1]
  if (perMs === undefined) return null
  const waitedMs = nowUnixMs - value / perMs
  return waitedMs < -MOST_SKEW_MS || waitedMs > LONGEST_MS ? null : Math.max(0, waitedMs)
}
