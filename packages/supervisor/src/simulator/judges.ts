import type { Fleet, FleetSettings } from '../fleet/fleet.ts'
import { ClusterCheckers, type ClusterSeen } from './cluster-checkers.ts'
import { Judge } from './judge.ts'
import type { Turn } from './turn.ts'

/** All who judge several replicas: each by itself, and what they share by all of them. */
export class Judges {
  readonly #settings: FleetSettings
  readonly #each = new Map<string, Judge>()
  readonly #cluster: ClusterCheckers | null
  #last: ClusterSeen | null = null

  constructor(settings: FleetSettings) {
    const { database } = settings
    this.#settings = settings
    this.#cluster = database?.isShared ? new ClusterCheckers({ available: database.cluster, floor: database.available }) : null
  }

  /** Every rule that this step of one replica broke. */
  after(id: string, turn: Turn): readonly string[] {
    return told(id, this.#judgeOf(id).after(turn))
  }

  /** The same for what they share. */
  look(seen: ClusterSeen): readonly string[] {
    this.#last = seen
    return this.#cluster?.after(seen) ?? []
  }

  /** What is still not well so long after the last fault, of the replicas that are there and of how many there are. */
  atRest(replicas: readonly { readonly id: string; readonly fleet: Fleet; readonly ended: boolean }[], min: number): readonly string[] {
    const missing = replicas.length < min ? [`${replicas.length} replicas are there; ${min} should be`] : []
    const ofEach = replicas.flatMap(({ id, fleet, ended }) => told(id, this.#judgeOf(id).atRest({ fleet, ended })))
    return [...missing, ...ofEach, ...(this.#cluster && this.#last ? this.#cluster.atRest(this.#last) : [])]
  }

  #judgeOf(id: string): Judge {
    const known = this.#each.get(id) ?? new Judge(this.#settings)
    this.#each.set(id, known)
    return known
  }
}

const told = (id: string, sentences: readonly string[]): readonly string[] =>
  sentences.length === 0 ? sentences : sentences.map((sentence) => `${id}: ${sentence}`)
