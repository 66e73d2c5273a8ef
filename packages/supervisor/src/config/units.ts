import { type Kind, scalar } from './kind.ts'

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

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/
const SIZE = /^(\d+(?:\.\d+)?)(b|[kmgt]i?b|[kmgt])$/i

/** `'30s'`, `'5m'`, or a number of milliseconds. A text without a unit is refused, because it may mean seconds. */
export function duration(min: string, max: string): Kind<number> {
  const [minMs, maxMs] = [readMs(min) ?? 0, readMs(max) ?? 0]
  const schema = {
    anyOf: [
      { type: 'string', pattern: DURATION.source },
      { type: 'number', minimum: minMs, maximum: maxMs },
    ],
  }
  const expected = `a duration from ${min} to ${max} such as "30s", or a number of milliseconds`
  return scalar({ expected, unit: 'ms', schema, fromText: (text) => text }, (value) => {
    const ms = readMs(value)
    return ms === undefined || ms < minMs || ms > maxMs ? undefined : Math.round(ms)
  })
}

/** `'512MB'`, `'1GiB'`, or a number of bytes. */
export function size(min: string, max: string): Kind<number> {
  const [minBytes, maxBytes] = [readBytes(min) ?? 0, readBytes(max) ?? 0]
  // A pattern has no flag for letters of either case.
  const pattern = '^\\d+(\\.\\d+)?([bB]|[kKmMgGtT][iI]?[bB]|[kKmMgGtT])$'
  const schema = {
    anyOf: [
      { type: 'string', pattern },
      { type: 'number', minimum: minBytes, maximum: maxBytes },
    ],
  }
  const expected = `a size from ${min} to ${max} such as "512MB", or a number of bytes`
  const fromText = (text: string): unknown => (/^\d+$/.test(text) ? Number(text) : text)
  return scalar({ expected, unit: 'bytes', schema, fromText }, (value) => {
    const bytes = readBytes(value)
    return bytes === undefined || bytes < minBytes || bytes > maxBytes ? undefined : Math.round(bytes)
  })
}

/** The shortest notation that says exactly this: `'90s'`, `'2m'`, `'1500ms'`. */
export function formatMs(ms: number): string {
  const unit = ['d', 'h', 'm', 's'].find((name) => ms > 0 && ms % (MS_PER[name] as number) === 0) ?? 'ms'
  return `${ms / (MS_PER[unit] as number)}${unit}`
}

const readMs = (value: unknown): number | undefined => read(value, DURATION, MS_PER)
const readBytes = (value: unknown): number | undefined => read(value, SIZE, BYTES_PER)

function read(value: unknown, pattern: RegExp, perUnit: Readonly<Record<string, number>>): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value !== 'string') return undefined
  const [, digits, unit] = pattern.exec(value) ?? []
  return digits === undefined || unit === undefined ? undefined : Number(digits) * (perUnit[unit.toLowerCase()] as number)
}
