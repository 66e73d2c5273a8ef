import { Cron } from 'croner'
import type { ScheduleEntry } from '../policy/settings.ts'
import { type Kind, as, checked, duration, fields, optional, text, wholeNumber } from './kind.ts'
import { MAX_WORKERS } from './rows-life.ts'

const CRON = 'a cron expression such as "0 8 * * 1-5"'
const TIMEZONE = 'the name of a time zone, such as "Europe/Berlin" or "UTC"'

/** Any moment does: an expression that never comes true after it is a slip of the pen (`0 0 30 2 *`). */
const SOME_MOMENT_MS = 1_700_000_000_000

export const cron: Kind<string> = checked(text(CRON, /^\S+( +\S+){4,6}$|^@[a-z]+$/, 200), (expression) => {
  try {
    const firing = new Cron(expression, { timezone: 'UTC', paused: true }).nextRun(new Date(SOME_MOMENT_MS))
    return firing ? null : `${CRON}; this one never comes true`
  } catch {
    return CRON
  }
})

export const timezone: Kind<string> = checked(text(TIMEZONE, /^[A-Za-z0-9_+/-]+$/, 100), (name) => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return null
  } catch {
    return TIMEZONE
  }
})

interface GivenEntry {
  readonly cron: string
  readonly timezone: string | undefined
  readonly min: number | undefined
  readonly max: number | undefined
  readonly until: string | undefined
  readonly for: number | undefined
}

const given = fields<GivenEntry>('an object such as { cron: "0 8 * * 1-5", for: "10h", min: 4 }', {
  cron,
  timezone: optional(timezone),
  min: optional(wholeNumber(1, MAX_WORKERS)),
  max: optional(wholeNumber(1, MAX_WORKERS)),
  until: optional(cron),
  for: optional(duration('1m', '31d')),
})

function contradiction(entry: GivenEntry): string | null {
  if (entry.until !== undefined && entry.for !== undefined) return 'either until or for, not both'
  if (entry.until === undefined && entry.for === undefined) return 'until (a cron expression) or for (a duration), so that the entry ends'
  if (entry.min === undefined && entry.max === undefined) return 'min, max or both, so that the entry does something'
  if ((entry.min ?? 1) > (entry.max ?? MAX_WORKERS)) return `min (${entry.min}) to be at most max (${entry.max})`
  return null
}

export const scheduleEntry: Kind<ScheduleEntry> = as(checked(given, contradiction), (entry) => ({
  cron: entry.cron,
  timezone: entry.timezone ?? 'UTC',
  min: entry.min ?? null,
  max: entry.max ?? null,
  until: entry.until ?? null,
  forMs: entry.for ?? null,
}))
