import type { Outcome } from '../simulator/simulate.ts'
import { type Terminal, harmless } from './terminal.ts'

/** Rules that a run broke, what led to the first, and the command that shows it once more; nothing where none was broken. */
export function renderBroken({ summary, brokenAtStep, transcript }: Outcome, seed: number, again: string, paint: Terminal['paint']): string[] {
  if (summary.violations.length === 0) return []
  return [
    '',
    ...summary.violations.map((sentence) => paint('red', `broken rule: ${harmless(sentence)}`)),
    '',
    `Seed ${seed}, step ${brokenAtStep}. The last steps until then:`,
    ...transcript.map((line) => `  ${harmless(line)}`),
    '',
    again,
  ]
}
