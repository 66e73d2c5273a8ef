import type { SignalReading } from './decision.ts'

const PERCENT = new Set(['cpu', 'memory', 'eventLoopUtilization'])
const MILLISECONDS = new Set(['p95', 'queueTime', 'eventLoopDelay'])

/** A signal's value in its own unit: `85 %`, `2100 ms`, `130`. */
export function describeValue(name: string, value: number | null): string {
  if (value === null) return 'unknown'
  if (PERCENT.has(name)) return `${Math.round(value * 100)} %`
  return withUnit(name, round(value))
}

const withUnit = (name: string, value: number): string => (MILLISECONDS.has(name) ? `${value} ms` : String(value))

/** The value so exactly that it does not read like the threshold: not `70 % above 70 %` but `70.3 % above 70 %`. */
function describeApart(name: string, value: number | null, threshold: number): string {
  const text = describeValue(name, value)
  if (value === null || text !== describeValue(name, threshold)) return text
  return PERCENT.has(name) ? `${Math.round(value * 1000) / 10} %` : withUnit(name, value)
}

/** `cpu 85 % above 70 % for 60 s, queue 130 above 100 for 31 s`. */
export function describeReadings(readings: Readonly<Record<string, SignalReading>>, side: 'above' | 'below'): string {
  return Object.entries(readings)
    .map(([name, { value, threshold, heldForMs }]) => {
      return `${name} ${describeApart(name, value, threshold)} ${side} ${describeValue(name, threshold)} for ${describeMs(heldForMs)}`
    })
    .join(', ')
}

export function describeMs(durationMs: number): string {
  if (durationMs < 1000) return `${Math.round(durationMs)} ms`
  return `${Math.round(durationMs / 100) / 10} s`
}

const round = (value: number): number => (Math.abs(value) < 10 ? Math.round(value * 10) / 10 : Math.round(value))
