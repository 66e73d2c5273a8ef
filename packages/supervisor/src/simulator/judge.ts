import type { FleetSettings } from '../fleet/fleet.ts'
import { brokenInvariants } from '../fleet/invariants.ts'
import { CauseCheckers } from './cause-checkers.ts'
import { Checkers } from './checkers.ts'
import { LeaseCheckers } from './lease-checkers.ts'
import type { Turn } from './turn.ts'
import { notHealed } from './verdict.ts'
import type { World } from './world.ts'

/** All who judge one fleet. */
export class Judge {
  readonly checkers: Checkers
  readonly #causes: CauseCheckers
  readonly leases: LeaseCheckers = new LeaseCheckers()

  constructor(settings: FleetSettings) {
    this.checkers = new Checkers(settings)
    this.#causes = new CauseCheckers(settings)
  }

  /** What is still not well so long after the last fault. */
  atRest(world: Pick<World, 'fleet' | 'ended'>): readonly string[] {
    return [...notHealed(world, this.checkers), ...this.leases.atRest(world, world.fleet.nowMs)]
  }

  /** Every rule that this step broke, one sentence each. At nearly every step there is none, and nothing is made for it. */
  after(turn: Turn): readonly string[] {
    const broken = this.checkers.after(turn)
    const ofCauses = this.#causes.after(turn)
    const ofLeases = this.leases.after(turn)
    const ofFleet = brokenInvariants(turn.fleet)
    return ofCauses.length + ofLeases.length + ofFleet.length === 0 ? broken : [...broken, ...ofCauses, ...ofLeases, ...ofFleet]
  }
}
