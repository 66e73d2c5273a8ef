import { styleText } from 'node:util'
import type { Decision, Status } from 'stationmaster'
import { count, duration, percent, shortened } from './format.ts'
import type { Sample } from './recorder.ts'

/** What there is to see at one moment. */
export type Moment = {
  readonly phase: string
  /** Of the time that the phases are planned to take. */
  readonly totalS: number
  readonly samples: readonly Sample[]
  readonly failed: number
  readonly status: Status
  /** Changes of the fleet so far, with the second of the play in which each was made. */
  readonly changes: readonly (Decision & { readonly atS: number })[]
}

type WorkerStatus = Status['workers'][number]

/** Columns of the widest line that cannot be shortened. */
export const narrowest = 80

const barWidth = 14
const labelWidth = 24
const mostLineWidth = 64
const shownChanges = 3
const levels = '▁▂▃▄▅▆▇█'
const stateColor = { ready: 'green', spare: 'cyan', booting: 'yellow', draining: 'magenta', killing: 'red' } as const

/** The fleet in lines that fit into the terminal. */
export function picture(moment: Moment, columns: number): string[] {
  const width = Math.max(10, Math.min(mostLineWidth, columns - labelWidth - 4))
  const now = moment.samples.at(-1)
  const curve = (name: string, value: string, of: (sample: Sample) => number | null): string =>
    `  ${name.padEnd(12)}${value.padStart(8)}   ${styleText('cyan', sparkline(moment, width, of))}`
  return [
    '',
    `  ${styleText('bold', moment.phase.padEnd(12))}${`${Math.round(now?.atS ?? 0)} s`.padStart(8)}   ${progress(now?.atS ?? 0, moment.totalS, width)}`,
    curve('requests/s', String(Math.round(now?.answered ?? 0)), (sample) => sample.answered),
    curve('p95', duration(now?.p95Ms ?? null), (sample) => sample.p95Ms),
    curve('workers', count(now?.ready ?? null), (sample) => sample.ready),
    `  ${'failed'.padEnd(12)}${styleText(moment.failed > 0 ? 'red' : 'green', String(moment.failed).padStart(8))}`,
    '',
    `  ${styleText('dim', `worker  state     ${'cpu'.padEnd(barWidth + 8)}${'event loop'.padEnd(barWidth + 8)}queue      p95`)}`,
    ...moment.status.workers.map(workerLine),
    '',
    ...changeLines(moment, columns),
    '',
  ]
}

function changeLines({ changes }: Moment, columns: number): string[] {
  if (changes.length === 0) return [styleText('dim', '  no change of the fleet yet')]
  return changes.slice(-shownChanges).map(({ atS, from, to, reason }) => {
    const words = `  ${`${atS.toFixed(1)} s`.padStart(7)}  ${from} → ${to}  `
    return `${styleText('bold', words)}${shortened(reason, columns - words.length - 1)}`
  })
}

function workerLine(worker: WorkerStatus): string {
  const state = styleText(stateColor[worker.state], worker.state.padEnd(8))
  const numbers = `${count(worker.queue).padStart(5)}  ${duration(worker.p95Ms).padStart(7)}`
  return `  ${String(worker.id).padStart(6)}  ${state}  ${bar(worker.cpu)}${bar(worker.eventLoopUtilization)}${numbers}`
}

function bar(share: number | null): string {
  const filled = Math.round(Math.min(Math.max(share ?? 0, 0), 1) * barWidth)
  const color = (share ?? 0) > 0.8 ? 'red' : (share ?? 0) > 0.5 ? 'yellow' : 'green'
  return `${styleText(color, '█'.repeat(filled))}${styleText('dim', '·'.repeat(barWidth - filled))} ${percent(share).padStart(5)}  `
}

function progress(atS: number, totalS: number, width: number): string {
  const done = Math.min(width, Math.round((atS / totalS) * width))
  return `${'━'.repeat(done)}${styleText('dim', '─'.repeat(width - done))}`
}

/** The whole play from left to right: each character is the highest value of its time. */
function sparkline({ samples, totalS }: Moment, width: number, of: (sample: Sample) => number | null): string {
  const lengthS = Math.max(totalS, samples.at(-1)?.atS ?? 0)
  const columnOf = ({ atS }: Sample): number => Math.min(width - 1, Math.floor((atS / lengthS) * width))
  const values: (number | null)[] = []
  for (const sample of samples) {
    const column = columnOf(sample)
    // Columns between two samples look like the later one.
    while (values.length < column) values.push(of(sample))
    values[column] = Math.max(values[column] ?? 0, of(sample) ?? 0)
  }
  const most = Math.max(...values.map((value) => value ?? 0)) || 1
  return values.map((value) => (value === null ? ' ' : levels[Math.round((value / most) * (levels.length - 1))])).join('')
}
