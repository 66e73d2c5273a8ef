import { inputFault } from './input-fault.ts'
import { type Plan, STANDARD, standardObjectiveMs } from './plan.ts'
import { workerOf } from './read-scenario.ts'
import type { LoadPoint } from './scenario.ts'

const COLUMNS = 'timeS,requestsPerSecond'
const LONGEST_S = 32 * 86_400
const MOST_RATE = 10_000_000

/**
 * Understands a trace: CSV with the columns `timeS,requestsPerSecond`, in order of time.
 *
 * @throws StationmasterError `SM_SCENARIO_INVALID` with one sentence: file, line, value, what was expected
 */
export function readTrace(text: string, file: string): Plan {
  const [header = '', ...rows] = text.replace(/\s+$/, '').split(/\r?\n/)
  if (header.trim() !== COLUMNS) throw inputFault(file, 1, `${quoted(header)} is not the header of a trace; expected ${COLUMNS}`)
  const load: LoadPoint[] = []
  for (const [index, row] of rows.entries()) load.push(pointOf(row, file, index + 2, load.at(-1)))
  const last = load.at(-1)
  if (!last || last.atMs === 0)
    throw inputFault(file, rows.length + 1, 'the trace ends here, without a time after 0; expected at least one row such as 60,100')
  const request = { cpuMs: STANDARD.cpuMs, waitMs: STANDARD.waitMs }
  return {
    about: '',
    scenario: {
      seed: STANDARD.seed,
      load,
      request,
      worker: workerOf(undefined),
      host: { cpus: STANDARD.cpus, memoryBytes: STANDARD.hostMemoryBytes },
      database: { concurrency: STANDARD.databaseConcurrency },
      faults: [],
      requests: [],
    },
    durationMs: last.atMs,
    firstTarget: null,
    tickMs: STANDARD.tickMs,
    startsAtMs: new Date(STANDARD.startsAt).getTime(),
    objectiveMs: standardObjectiveMs(request),
    options: {},
    expect: {},
  }
}

function pointOf(row: string, file: string, line: number, before: LoadPoint | undefined): LoadPoint {
  const cells = row.split(',')
  if (cells.length !== 2) throw inputFault(file, line, `${quoted(row)} has ${cells.length} columns; expected 2: ${COLUMNS}`)
  const timeS = numberIn(cells[0] as string, 'timeS', LONGEST_S, file, line)
  const requestsPerSecond = numberIn(cells[1] as string, 'requestsPerSecond', MOST_RATE, file, line)
  if (before && timeS * 1000 < before.atMs)
    throw inputFault(file, line, `timeS ${timeS} goes back in time; the row before it is at ${before.atMs / 1000}`)
  return { atMs: timeS * 1000, requestsPerSecond }
}

function numberIn(cell: string, name: string, most: number, file: string, line: number): number {
  const value = /^\s*\d+(\.\d+)?\s*$/.test(cell) ? Number(cell) : Number.NaN
  if (value >= 0 && value <= most) return value
  throw inputFault(file, line, `${name} ${quoted(cell)} is not allowed; expected a number from 0 to ${most}`)
}

const quoted = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 59)}…` : text)
