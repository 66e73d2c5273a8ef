/** Enough for every scenario here; a forgotten generator ends by itself. */
export const maxSeconds = 900
/** Well below the file descriptors that a machine usually grants. */
export const maxClients = 5_000
export const maxRatePerSecond = 50_000

/** Load is for one's own machine only. A typo must not turn a test into an attack. */
export function loopbackUrl(url: string): URL {
  const parsed = new URL(url)
  const host = parsed.hostname
  const isLoopback = host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
  if (!isLoopback) throw new RangeError(`Load goes to the loopback address only, and ${host} is another machine.`)
  return parsed
}

export function within(name: string, value: number, min: number, max: number): number {
  if (Number.isFinite(value) && value >= min && value <= max) return value
  throw new RangeError(`${name} must be from ${min} to ${max}, and is ${value}.`)
}
