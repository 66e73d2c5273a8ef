import type { SignalReading } from './decision.ts'

const PERCENT = new Set(['cpu', 'memory', 'eventLoopUtilization'])
const MILLISECONDS = new Set(['p95', 'eventLoopDelay'])

/** A signal's value in its own unit: `85 %`, `2100 ms`, `130`. */
export function describeValue(name: string, value: number | null): string {
  if (value === null) return 'unknown'
  if (PERCENT.has(name)) return `${Math.round(value * 100)} %`
  if (MILLISECONDS.has(name)) return `${round(value)} ms`
  return String(round(value))
}

/** `cpu 85 % above 70 % for 60 s, queue 130 above 100 for 31 s`. */
export function describeReadings(readings: Readonly<Record<string, SignalReading>>, side: 'above' | 'below'): string {
  return Object.entries(readings)
    .map(([name, { value, threshold, heldForMs }]) => {
      return `${name} ${describeValue(name, value)} ${side} ${describeValue(name, threshold)} for ${describeMs(heldForMs)}`
    })
    .join(', ')
}

export function describeMs(durationMs: number): string {
  if (durationMs < 1000) return `${Math.round(durationMs)} ms`
  return `${Math.round(durationMs / 100) / 10} s`
}

const round = (value: number): number => (Math.abs(value) < 10 ? Math.round(value * 10) / 10 : Math.round(value))
