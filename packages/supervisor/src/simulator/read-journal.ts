import type { FleetEvent } from '../fleet/event.ts'
import { type Fleet, initialFleet } from '../fleet/fleet.ts'
import type { Recording } from '../fleet/replay.ts'
import { inputFault } from './input-fault.ts'
import { EVENT_FIELDS, SAMPLE_FIELDS, unknownField } from './journal-fields.ts'

const HOW_MADE = 'expected what `journal.file` or `stationmaster explain --recording` writes'
/**
 * Understands a journal: JSON Lines, first a fleet as it was (`"kind":"start"`), then every event since.
 *
 * @throws StationmasterError `SM_SCENARIO_INVALID` with one sentence: file, line, value, what was expected
 */
export function readJournal(text: string, file: string): Recording {
  const [first = '', ...rest] = text.replace(/\n$/, '').split('\n')
  const start = lineOf(first, file, 1)
  if (start['kind'] !== 'start' || !isFleet(start)) throw inputFault(file, 1, `${shown(first)} is not the start of a journal; ${HOW_MADE}`)
  const { kind: _, ...fleet } = start
  // What an older version did not write down begins as it does in a new fleet.
  const recorded = fleet as unknown as Fleet
  const fresh = initialFleet(recorded.settings)
  refuseUnknown(fleet, fresh, file, 1)
  const events: FleetEvent[] = []
  let beforeMs = start['nowMs'] as number
  for (const [index, line] of rest.entries()) {
    const event = eventOf(lineOf(line, file, index + 2), file, index + 2)
    if (event.nowMs < beforeMs) throw inputFault(file, index + 2, `nowMs ${event.nowMs} goes back in time; the line before it is at ${beforeMs}`)
    beforeMs = event.nowMs
    events.push(event)
  }
  if (!events.some(({ kind }) => kind === 'sampled'))
    throw inputFault(file, rest.length + 1, 'the journal ends here without a sample of the load; let it run for longer')
  return { start: { ...fresh, ...recorded }, events }
}

type Line = Readonly<Record<string, unknown>>

function lineOf(line: string, file: string, number: number): Line {
  try {
    const value: unknown = JSON.parse(line)
    if (isObject(value)) return value
  } catch {
    throw inputFault(file, number, `${shown(line)} is not JSON; where the file was cut off, remove this line and what follows`)
  }
  throw inputFault(file, number, `${shown(line)} is no event; ${HOW_MADE}`)
}

function eventOf(line: Line, file: string, number: number): FleetEvent {
  const kind = String(line['kind'])
  const fields: Readonly<Record<string, 'number' | 'other'>> | undefined = Object.hasOwn(EVENT_FIELDS, kind)
    ? EVENT_FIELDS[kind as FleetEvent['kind']]
    : undefined
  if (!fields) throw inputFault(file, number, `kind ${shown(JSON.stringify(line['kind']) ?? 'nothing')} is no event; ${HOW_MADE}`)
  refuseUnknown(line, { kind, nowMs: true, ...fields }, file, number)
  for (const name of ['nowMs', ...Object.keys(fields)]) {
    if (fields[name] !== 'other' && !Number.isFinite(line[name]))
      throw inputFault(file, number, `${name} ${shown(JSON.stringify(line[name]) ?? 'nothing')} is not allowed; expected a number`)
  }
  if (kind === 'sampled') checkSamples(line, file, number)
  return line as unknown as FleetEvent
}

/** A slip of the pen, or what another version means by it: left out in silence it would be a wrong answer. */
function refuseUnknown(line: Line, known: object, file: string, number: number): void {
  const name = unknownField(line, known)
  if (name === undefined) return
  const value = `${shown(name)} ${shown(JSON.stringify(line[name]) ?? 'nothing')}`
  throw inputFault(file, number, `${value} is not part of a journal of this version; ${HOW_MADE}`)
}

function checkSamples({ samples, usage }: Line, file: string, number: number): void {
  if (!isObject(usage)) throw inputFault(file, number, `usage ${shown(JSON.stringify(usage) ?? 'nothing')} is not allowed; expected an object`)
  if (!Array.isArray(samples))
    throw inputFault(file, number, `samples ${shown(JSON.stringify(samples) ?? 'nothing')} is not allowed; expected a list`)
  for (const [index, sample] of (samples as unknown[]).entries()) {
    if (isObject(sample)) refuseUnknown(sample, SAMPLE_FIELDS, file, number)
    if (!isObject(sample) || !Number.isFinite(sample['workerId']) || !isReport(sample['report']))
      throw inputFault(
        file,
        number,
        `samples[${index}] ${shown(JSON.stringify(sample) ?? 'nothing')} is no sample; expected workerId, cpu, memoryBytes and report`,
      )
  }
}

function isReport(report: unknown): boolean {
  if (report === null) return true
  if (!isObject(report) || !Array.isArray(report['latencies'])) return false
  const numbers = [report['intervalMs'], report['queue'], report['requests'], report['eventLoopUtilization'], ...(report['latencies'] as unknown[])]
  return numbers.every((value) => typeof value === 'number' && value >= 0 && Number.isFinite(value))
}

function isFleet(line: Line): boolean {
  const { settings, workers, decisions } = line
  return (
    isObject(settings) &&
    isObject(settings['capacity']) &&
    isObject(settings['workers']) &&
    Array.isArray(workers) &&
    Array.isArray(decisions) &&
    Number.isFinite(line['nowMs'])
  )
}

const isObject = (value: unknown): value is Line => typeof value === 'object' && value !== null && !Array.isArray(value)
const shown = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text || 'an empty line')
