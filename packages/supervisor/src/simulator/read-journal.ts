import { describe, faultsOf } from '../config/fault.ts'
import type { Kind } from '../config/kind.ts'
import type { FleetEvent } from '../fleet/event.ts'
import { type Fleet, type FleetSettings, initialFleet } from '../fleet/fleet.ts'
import type { Recording } from '../fleet/replay.ts'
import { inputFault } from './input-fault.ts'
import { eventKind } from './journal-events.ts'
import { fleetKind } from './journal-fleet.ts'
import { settingsKind } from './journal-settings.ts'
import { MOST_TICKS } from './plan.ts'

const HOW_MADE = 'expected what `journal.file` or `stationmaster explain --recording` writes'

/** A line of a file, for what is wrong with it. */
interface Place {
  readonly file: string
  readonly number: number
}

/**
 * Understands a journal: JSON Lines, first a fleet as it was (`"kind":"start"`), then every event since. Whatever has been read can be
 * simulated to its end.
 *
 * @throws StationmasterError `SM_SCENARIO_INVALID` with one sentence: file, line, value, what was expected
 */
export function readJournal(text: string, file: string): Recording {
  const [first = '', ...rest] = text.replace(/\n$/, '').split('\n')
  const start = fleetOf(first, { file, number: 1 })
  const { tickMs } = start.settings
  const events: FleetEvent[] = []
  let beforeMs = start.nowMs
  for (const [index, line] of rest.entries()) {
    const place = { file, number: index + 2 }
    const event = eventOf(line, place)
    if (event.nowMs < beforeMs) throw faultAt(place, `nowMs ${event.nowMs} goes back in time; the line before it is at ${beforeMs}`)
    beforeMs = event.nowMs
    events.push(event)
    const { nowMs: beganMs } = events[0] as FleetEvent
    if (event.nowMs - beganMs > MOST_TICKS * tickMs)
      throw faultAt(
        place,
        `nowMs ${event.nowMs} is too long after the first event at ${beganMs}; expected at most ${MOST_TICKS} ticks of ${tickMs} ms`,
      )
  }
  if (!events.some(({ kind }) => kind === 'sampled'))
    throw inputFault(file, rest.length + 1, 'the journal ends here without a sample of the load; let it run for longer')
  return { start, events }
}

type Line = Readonly<Record<string, unknown>>

function fleetOf(line: string, place: Place): Fleet {
  const { kind, ...recorded } = lineOf(line, place)
  if (kind !== 'start' || !isObject(recorded['settings'])) throw faultAt(place, `${shown(line)} is not the start of a journal; ${HOW_MADE}`)
  const settings = check<FleetSettings>(settingsKind, recorded['settings'], 'settings', place)
  // What an older version did not write down begins as it does in a new fleet.
  return check<Fleet>(fleetKind, { ...initialFleet(settings), ...recorded }, '', place)
}

function eventOf(line: string, place: Place): FleetEvent {
  const event = lineOf(line, place)
  const kind = eventKind(event['kind'])
  if (!kind) throw faultAt(place, `kind ${describe(event['kind'])} is no event; ${HOW_MADE}`)
  return check(kind, event, '', place) as FleetEvent
}

function lineOf(line: string, place: Place): Line {
  try {
    const value: unknown = JSON.parse(line)
    if (isObject(value)) return value
  } catch {
    throw faultAt(place, `${shown(line)} is not JSON; where the file was cut off, remove this line and what follows`)
  }
  throw faultAt(place, `${shown(line)} is no event; ${HOW_MADE}`)
}

/** Answers the value itself, since it is replayed byte for byte. */
function check<T>({ schema }: Kind<T>, value: unknown, path: string, place: Place): T {
  const result = schema.safeParse(value)
  if (result.success) return value as T
  const faults = faultsOf(result.error.issues, value, path, false)
  const unknown = faults.find(({ problem }) => problem.startsWith('is not an option'))
  const { path: at = '', shown: given = null, problem = '' } = unknown ?? faults[0] ?? {}
  // A slip of the pen, or what another version means by it: left out in silence it would be a wrong answer.
  const why = unknown ? `${describe(valueAt(at.slice(path.length), value))} is not part of a journal of this version; ${HOW_MADE}` : problem
  throw faultAt(place, [at.replace(/^\./, ''), given, why].filter((part) => part !== null).join(' '))
}

/** `samples[0].cpus` of an event; nothing where the path has odd names. */
function valueAt(path: string, value: unknown): unknown {
  return [...path.matchAll(/[\w$]+/g)].reduce<unknown>(
    (whole, [step]) => (isObject(whole) || Array.isArray(whole) ? (whole as Line)[step] : undefined),
    value,
  )
}

const faultAt = ({ file, number }: Place, sentencePart: string): Error => inputFault(file, number, sentencePart)
const isObject = (value: unknown): value is Line => typeof value === 'object' && value !== null && !Array.isArray(value)
const shown = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text || 'an empty line')
