import { Cron } from 'croner'
import type { ScheduleEntry } from './settings.ts'

export interface Limits {
  readonly min: number
  readonly max: number
}

/** The configured floor and ceiling, moved by the schedule entries in force at `wallMs`, what the clock on the wall shows in unix time. The highest floor and the lowest ceiling win. */
export function limitsAt(schedule: readonly ScheduleEntry[], wallMs: number, base: Limits): Limits {
  let { min, max } = base
  for (const entry of schedule) {
    if (!inForce(entry, wallMs)) continue
    if (entry.min !== null) min = Math.max(min, entry.min)
    if (entry.max !== null) max = Math.min(max, entry.max)
  }
  // A floor above the ceiling is a contradiction in the schedule; capacity that was promised wins.
  min = Math.min(min, base.max)
  return { min, max: Math.max(min, max) }
}

function inForce(entry: ScheduleEntry, wallMs: number): boolean {
  const beganAtMs = lastFiringMs(entry.cron, entry.timezone, wallMs)
  if (beganAtMs === null) return false
  if (entry.forMs !== null) return wallMs - beganAtMs < entry.forMs
  const endedAtMs = entry.until === null ? null : lastFiringMs(entry.until, entry.timezone, wallMs)
  return endedAtMs === null || endedAtMs < beganAtMs
}

function lastFiringMs(expression: string, timezone: string, wallMs: number): number | null {
  // One millisecond on, because a firing at this very moment counts as past.
  const [last] = new Cron(expression, { timezone, paused: true }).previousRuns(1, new Date(wallMs + 1))
  return last ? last.getTime() : null
}
