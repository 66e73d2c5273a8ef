import type { Decision } from './decision.ts'

/** What a policy of the user's own is told, once a tick. All of it is what was known at the tick before. */
export interface PolicyInput {
  /** The time, in unix milliseconds. */
  readonly nowMs: number
  /** The size the fleet has or is on its way to. */
  readonly workers: number
  readonly ready: number
  readonly min: number
  readonly max: number
  /** Means over ready workers by signal: ratios 0..1, delays in milliseconds; null where it is not known. */
  readonly signals: Readonly<Record<string, number | null>>
  /** What was last decided, with its reason; null before the first tick. */
  readonly decision: Decision | null
}

/** A number of workers, with or without a reason for people; null or nothing leaves it to the built-in policy. */
export type PolicyAnswer = number | { readonly workers: number; readonly reason?: string } | null | undefined

/**
 * Decides in place of the built-in policy. It runs in the primary, so it must be quick, and it cannot wait for anything. Whatever it answers,
 * the fleet stays between its floor and its ceiling and within what the container carries.
 *
 * @example
 * const policy: PolicyFunction = ({ signals, workers }) => ((signals.queue ?? 0) > 20 ? workers + 1 : null)
 */
export type PolicyFunction = (input: PolicyInput) => PolicyAnswer

/** An answer that was understood. */
export interface Advice {
  readonly workers: number
  readonly reason: string | null
}

const LONGEST_REASON = 200
/** More than any fleet has: what is beyond it is clamped to `max` all the same. */
const MOST = 1_000_000

export type Understood = { readonly kind: 'advice'; readonly advice: Advice | null } | { readonly kind: 'nonsense'; readonly what: string }

/** Reads what a policy function answered, whatever it is. */
export function readAnswer(answer: unknown): Understood {
  if (answer === null || answer === undefined) return { kind: 'advice', advice: null }
  if (typeof answer === 'number') return readNumber(answer, null)
  if (typeof answer !== 'object') return { kind: 'nonsense', what: `a ${typeof answer}` }
  if (typeof (answer as { then?: unknown }).then === 'function') return { kind: 'nonsense', what: 'a promise' }
  const { workers, reason } = answer as { workers?: unknown; reason?: unknown }
  if (typeof workers !== 'number') return { kind: 'nonsense', what: 'an object without a number of workers' }
  return readNumber(workers, typeof reason === 'string' ? reason.slice(0, LONGEST_REASON) : null)
}

function readNumber(workers: number, reason: string | null): Understood {
  if (Number.isNaN(workers)) return { kind: 'nonsense', what: 'NaN' }
  return { kind: 'advice', advice: { workers: Math.round(Math.min(Math.max(workers, 0), MOST)), reason } }
}
