import type { FleetSettings } from '../fleet/fleet.ts'
import { brokenInvariants } from '../fleet/invariants.ts'
import { Checkers } from './checkers.ts'
import { LeaseCheckers } from './lease-checkers.ts'
import type { Turn } from './turn.ts'

/** All who judge one fleet. */
export class Judge {
  readonly checkers: Checkers
  readonly leases: LeaseCheckers = new LeaseCheckers()

  constructor(settings: FleetSettings) {
    this.checkers = new Checkers(settings)
  }

  /** Every rule that this step broke, one sentence each. At nearly every step there is none, and nothing is made for it. */
  after(turn: Turn): readonly string[] {
    const broken = this.checkers.after(turn)
    const ofLeases = this.leases.after(turn)
    const ofFleet = brokenInvariants(turn.fleet)
    return ofLeases.length + ofFleet.length === 0 ? broken : [...broken, ...ofLeases, ...ofFleet]
  }
}
