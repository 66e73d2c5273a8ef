import type { FleetSettings } from '../fleet/fleet.ts'
import { examine, shrink } from './examine.ts'
import type { Helm } from './helm.ts'
import { type Life, randomLife } from './random-life.ts'
import type { Verdict } from './verdict.ts'

/** A life that broke a rule, and the smallest part of it that still does. */
export interface Found {
  readonly seed: number
  readonly verdict: Verdict
  readonly smallest: Pick<Life['scenario'], 'load' | 'faults' | 'requests'>
}

/** Which seeds to try: `count` of them from `first` on, every `stride`th. */
export interface Search {
  readonly base: FleetSettings
  readonly first: number
  readonly count: number
  readonly stride: number
}

export interface Searched {
  readonly seeds: number
  readonly steps: number
  /** The first one found; the search ends there. */
  readonly found: Found | null
}

/** Lives one life after the other, until one breaks a rule. `core` stands in for the production one, to try those who judge it. */
export function fuzz({ base, first, count, stride }: Search, core?: Helm['step']): Searched {
  let [seeds, steps] = [0, 0]
  for (let seed = first; seed < first + count; seed += stride) {
    const life = randomLife(seed, base)
    const verdict = examine(life, core)
    seeds++
    steps += verdict.steps
    if (verdict.broken.length === 0) continue
    const smaller = shrink(life, core)
    const { load, faults, requests } = smaller.scenario
    return { seeds, steps, found: { seed, verdict: examine(smaller, core), smallest: { load, faults, requests } } }
  }
  return { seeds, steps, found: null }
}
