import type { Decision } from '../../packages/supervisor/src/policy/decision.ts'
import type { ScaleInput, ScaleState } from '../../packages/supervisor/src/policy/scale.ts'
import { decide, untouched } from '../../packages/supervisor/src/policy/scale.ts'
import type { ScalingSettings } from '../../packages/supervisor/src/policy/settings.ts'
import type { Signals } from '../../packages/supervisor/src/policy/signals.ts'
import { defaultScaling } from './settings.ts'

export type Values = Readonly<Record<string, number | null>>

/** A signal that every worker reports the same. */
export const signalsOf = (values: Values): Signals =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { up: value, down: value, shown: value }]))

export const quiet: Values = { cpu: 0.05, memory: 0.1, queue: 0, p95: 0, eventLoopDelay: 2, eventLoopUtilization: 0.02 }
/** Neither busy nor quiet. */
export const middling: Values = { cpu: 0.5, memory: 0.6, queue: 50, p95: 1000, eventLoopDelay: 50, eventLoopUtilization: 0.5 }

/** The scaling policy with a fleet that obeys at once. */
export class Policy {
  state: ScaleState = untouched
  target: number
  nowMs = 0
  readonly settings: ScalingSettings
  readonly fields: Partial<ScaleInput>
  readonly told: Decision[] = []
  last: Decision | null = null

  constructor(target: number, settings: Partial<ScalingSettings> = {}, fields: Partial<ScaleInput> = {}) {
    this.target = target
    this.settings = { ...defaultScaling, ...settings }
    this.fields = fields
  }

  /** `seconds` ticks of one second each with the same values. */
  feed(values: Values, seconds: number): this {
    for (let tick = 0; tick < seconds; tick++) this.tick(signalsOf({ ...middling, ...values }))
    return this
  }

  tick(signals: Signals): void {
    this.nowMs += 1000
    const ceiling = { workers: Number.POSITIVE_INFINITY, because: () => '' }
    const { nowMs, target } = this
    const base = {
      nowMs,
      intervalMs: 1000,
      signals,
      target,
      min: 1,
      max: 10,
      ceiling,
      byHand: false,
      advice: null,
      ready: target,
      serving: target,
      bootMs: null,
      busiest: null,
      others: null,
    }
    const input = { ...base, ...this.fields }
    const verdict = decide(this.state, input, this.settings)
    this.state = verdict.state
    this.last = verdict.decision
    if (verdict.news) this.told.push(verdict.decision)
    this.target = verdict.decision.to
  }

  changes(): Decision[] {
    return this.told.filter((decision) => decision.to !== decision.from)
  }
}
