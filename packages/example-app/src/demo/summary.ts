import type { Promotion } from './promotion.ts'
import type { Recording } from './recorder.ts'
import { ms } from './view.ts'

export type Row = readonly [what: string, value: string]

/** The run in a few numbers, the same for the terminal and for the report. */
export function summarize(recording: Recording, promotions: readonly Promotion[], extra: readonly Row[]): Row[] {
  const stats = recording.phases.map((phase) => phase.stats)
  const sum = (of: (each: (typeof stats)[number]) => number): number => stats.reduce((total, each) => total + of(each), 0)
  return [
    ['requests', sum((each) => each.sent).toLocaleString('en')],
    ['failed', String(sum((each) => each.failed))],
    ...recording.phases.map((phase): Row => [`p95, ${phase.name}`, ms(phase.stats.latency.p95Ms)]),
    ['most workers at once', String(Math.max(0, ...recording.samples.map((sample) => sample.ready)))],
    ['changes of the fleet', String(recording.decisions.length)],
    ...promotions.map((each): Row => [`from decision to first answer, ${each.kind}`, ms(each.ms)]),
    ...extra,
  ]
}

export function printSummary(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([what]) => what.length))
  return rows.map(([what, value]) => `  ${what.padEnd(width)}  ${value}`).join('\n')
}
