import type { ReplicaNeed } from './replicas.ts'

export interface SignalReading {
  readonly value: number | null
  readonly threshold: number
  readonly heldForMs: number
}

/** One answer of the scaling policy, with all that led to it. Fed the same inputs again, the policy gives it again. */
export interface Decision {
  readonly atMs: number
  readonly from: number
  /** What is done. Equal to `from` when something held the decision back. */
  readonly to: number
  /** What the policy would do if nothing held it back. */
  readonly wanted: number
  readonly lane: 'window' | 'surge' | 'forecast' | 'custom' | 'bounds' | 'manual'
  readonly reason: string
  readonly signals: Readonly<Record<string, SignalReading>>
  readonly heldBackBy: readonly string[]
  /** What would have to change for another answer. */
  readonly wouldChange: string
  /** Where the number of replicas is not right: how many there should be. */
  readonly replicas: ReplicaNeed | null
}
