import type { Fleet } from './fleet.ts'
import { policyInputOf } from './policy-input.ts'
import { type Advice, type PolicyFunction, readAnswer } from '../policy/advice.ts'

export interface AdvisorParts {
  readonly policy: PolicyFunction | null
  fleet(): Fleet
  warn(sentence: string): void
}

/**
 * Asks the user's own policy; null means that the built-in one decides. Never throws. What it answers becomes part of an event, so a recording
 * needs no function to be replayed.
 */
export function createAdvisor({ policy, fleet: fleetNow, warn }: AdvisorParts): () => Advice | null {
  let isWell = true

  /** Once until it is well again: it is asked every second. */
  function complain(what: string): null {
    if (isWell) warn(`scaling.policy ${what}; the built-in policy decides until it answers a number of workers, or null.`)
    isWell = false
    return null
  }

  return () => {
    const fleet = fleetNow()
    if (!policy || fleet.phase !== 'running') return null
    try {
      // A copy, since the decision in it is the fleet's own.
      const answer: unknown = policy(structuredClone(policyInputOf(fleet)))
      // What it rejects with would end the primary if nobody listened.
      if (answer instanceof Promise) answer.catch(() => {})
      const understood = readAnswer(answer)
      if (understood.kind === 'nonsense') return complain(`answered ${understood.what}`)
      isWell = true
      return understood.advice
    } catch (error) {
      return complain(`failed (${String(error).split('\n')[0]?.slice(0, 300)})`)
    }
  }
}
