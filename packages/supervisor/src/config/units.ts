const MS_PER: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Single letters count in powers of two, as they do for PM2 and for the JVM. */
const BYTES_PER: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
}

/** A text without a unit is refused, because it may mean seconds. */
export const DURATION: RegExp = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/
/** Spelled out for either case, because a pattern in a JSON Schema has no flags. */
export const SIZE: RegExp = /^(\d+(?:\.\d+)?)([bB]|[kKmMgGtT][iI]?[bB]|[kKmMgGtT])$/

/** Milliseconds of `'30s'`, `'5m'`, or of a number; undefined for anything else. */
export function readMs(value: unknown): number | undefined {
  return read(value, DURATION, MS_PER)
}

/** Bytes of `'512MB'`, `'1GiB'`, or of a number; undefined for anything else. */
export function readBytes(value: unknown): number | undefined {
  return read(value, SIZE, BYTES_PER)
}

/** The shortest notation that says exactly this: `'90s'`, `'2m'`, `'1500ms'`. */
export function formatMs(durationMs: number): string {
  const unit = ['d', 'h', 'm', 's'].find((name) => durationMs > 0 && durationMs % (MS_PER[name] as number) === 0) ?? 'ms'
  return `${durationMs / (MS_PER[unit] as number)}${unit}`
}

function read(value: unknown, pattern: RegExp, perUnit: Readonly<Record<string, number>>): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value !== 'string') return undefined
  const [, digits, unit] = pattern.exec(value) ?? []
  return digits === undefined || unit === undefined ? undefined : Number(digits) * (perUnit[unit.toLowerCase()] as number)
}
