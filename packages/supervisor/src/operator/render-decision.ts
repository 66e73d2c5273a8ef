import type { Decision } from '../policy/decision.ts'
import { describeMs, describeValue } from '../policy/describe.ts'
import { describeNeed } from '../policy/replicas.ts'
import { harmless } from './terminal.ts'
import type { Terminal } from './terminal.ts'
import { timeOfDay } from './units.ts'

const LANES: Readonly<Record<Decision['lane'], string>> = {
  window: 'a signal must hold for its whole window',
  surge: 'surge: ignores windows and cooldowns',
  forecast: 'a rise that is foretold must be so for 3 s',
  custom: 'a policy of your own (scaling.policy)',
  bounds: 'floor and ceiling come first',
  manual: 'set by hand',
}

/** In shadow mode nothing comes true, so there a cooldown holds back even what would ignore it. */
function ruleOf({ lane, heldBackBy }: Decision): string {
  if (lane !== 'surge' || !heldBackBy.some((sentence) => sentence.startsWith('cooldown.'))) return LANES[lane] ?? lane
  return 'surge: ignores windows (cooldowns too, except in shadow mode)'
}

/** `2 → 3`, `stays at 2`, or `stays at 2 (wanted 3)`. */
export function describeStep({ from, to, wanted }: Decision): string {
  const step = from === to ? `stays at ${from}` : `${from} → ${to}`
  return wanted === to ? step : `${step} (wanted ${wanted})`
}

/** A decision in full: what was read, by which rule, what held it back, and what would change it. */
export function renderDecision(decision: Decision, nowMs: number, paint: Terminal['paint']): string[] {
  const { atMs, reason, signals, heldBackBy, wouldChange, replicas } = decision
  const names = Object.keys(signals)
  const nameWidth = Math.max(0, ...names.map((name) => name.length))
  const read = names.map((name) => {
    const { value, threshold, heldForMs } = signals[name] as Decision['signals'][string]
    const held = heldForMs > 0 ? `held for ${describeMs(heldForMs)}` : 'does not hold'
    return `${name.padEnd(nameWidth)}  ${describeValue(name, value)} (threshold ${describeValue(name, threshold)}), ${held}`
  })
  return [
    `${timeOfDay(atMs, nowMs)}  ${paint('bold', describeStep(decision))}: ${harmless(reason)}`,
    `  rule          ${ruleOf(decision)}`,
    ...labelled('read', read),
    ...labelled('held back by', heldBackBy),
    `  would change  ${harmless(wouldChange)}`,
    ...labelled('replicas', replicas ? [describeNeed(replicas)] : []),
  ]
}

function labelled(label: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => `  ${(index === 0 ? label : '').padEnd(12)}  ${harmless(line)}`)
}
