import { describeValue } from '../policy/describe.ts'

/** Values as people read them; what is not known is `-`. */

const UNKNOWN = '-'

export function ratio(value: number | null): string {
  return value === null ? UNKNOWN : describeValue('cpu', value)
}

export function milliseconds(value: number | null): string {
  return value === null ? UNKNOWN : describeValue('p95', value)
}

export function count(value: number | null): string {
  return value === null ? UNKNOWN : describeValue('queue', value)
}

export function bytes(value: number | null): string {
  if (value === null) return UNKNOWN
  return value >= 1e9 ? `${Math.round(value / 1e8) / 10} GB` : `${Math.round(value / 1e6)} MB`
}

/** `9s`, `3m 20s`, `1h 02m`, `12d 04h`. */
export function uptime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const [days, hours, minutes] = [Math.floor(whole / 86_400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60]
  if (days > 0) return `${days}d ${twoDigits(hours)}h`
  if (hours > 0) return `${hours}h ${twoDigits(minutes)}m`
  return minutes > 0 ? `${minutes}m ${twoDigits(whole % 60)}s` : `${whole}s`
}

/** The time of day, as on the reader's clock; with the date when it was another day. */
export function timeOfDay(atMs: number, nowMs: number): string {
  const at = new Date(atMs)
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(twoDigits).join(':')
  if (at.toDateString() === new Date(nowMs).toDateString()) return time
  return `${at.getFullYear()}-${twoDigits(at.getMonth() + 1)}-${twoDigits(at.getDate())} ${time}`
}

const twoDigits = (value: number): string => String(value).padStart(2, '0')
