import type { FleetSettings } from '../fleet/fleet.ts'
import { examine, shrink } from './examine.ts'
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

export function fuzz({ base, first, count, stride }: Search): Searched {
  let [seeds, steps] = [0, 0]
  for (let seed = first; seed < first + count; seed += stride) {
    const life = randomLife(seed, base)
    const verdict = examine(life)
    seeds++
    steps += verdict.steps
    if (verdict.broken.length === 0) continue
    const smaller = shrink(life)
    const { load, faults, requests } = smaller.scenario
    return { seeds, steps, found: { seed, verdict: examine(smaller), smallest: { load, faults, requests } } }
  }
  return { seeds, steps, found: null }
}
