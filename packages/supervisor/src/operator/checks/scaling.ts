import { isGiven } from '../../config/given.ts'
import { describeMs } from '../../policy/describe.ts'
import type { ScalingSettings } from '../../policy/settings.ts'
import { type Finding, warning } from './finding.ts'

/** A fleet shrinks when all down-triggers hold: one window that was forgotten undoes all that were shortened. */
export function checkScaling({ down }: ScalingSettings, options: unknown): Finding[] {
  const entries = Object.entries(down)
  const chosen = entries.filter(([name]) => isGiven(options, `scaling.down.${name}.for`))
  const longestMs = Math.max(...chosen.map(([, { forMs }]) => forMs))
  const forgotten = entries.filter(([name, { forMs }]) => !isGiven(options, `scaling.down.${name}.for`) && forMs > longestMs)
  const slowestMs = Math.max(...forgotten.map(([, { forMs }]) => forMs))
  if (chosen.length === 0 || forgotten.length === 0) return []
  const names = forgotten.map(([name]) => `scaling.down.${name}`)
  const keep = `${names.join(', ')} ${names.length === 1 ? 'keeps its window' : 'keep their windows'} of ${describeMs(slowestMs)}`
  return [
    warning(
      `${keep}, so the fleet shrinks no sooner, though the other windows are ${describeMs(longestMs)} or less. Set "for" there too, or switch the signal off with false.`,
    ),
  ]
}
