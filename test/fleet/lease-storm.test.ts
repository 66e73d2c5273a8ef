import { expect, it } from 'vitest'
import { AVAILABLE, LeaseStorm } from './lease-storm.ts'

/** So many by chance; `LEASE_SEEDS=10000` for a long look. */
const SEEDS = Number(process.env['LEASE_SEEDS'] ?? 2000)
const TURNS = 120

it('no storm of lost, doubled and reordered messages, deaths, reloads and sizes brings one connection too many, and all is shared out when it ends', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const storm = new LeaseStorm(seed)
    for (let turn = 0; turn < TURNS; turn++) storm.turn()
    expect({ seed, isWithin: storm.most <= AVAILABLE, most: storm.most }).toMatchObject({ isWithin: true })
    storm.heal()
    expect({ seed, isWithin: storm.most <= AVAILABLE, most: storm.most }).toMatchObject({ isWithin: true })
    const { workers, quarantine, settings, target } = storm.fleet
    const granted = workers.map(({ lease }) => lease.granted)
    expect({ seed, quarantine, workers: workers.length }).toEqual({ seed, quarantine: [], workers: target })
    expect({ seed, leastGranted: Math.min(...granted) >= (settings.database?.floor ?? 0) }).toEqual({ seed, leastGranted: true })
    expect({ seed, booked: storm.booked >= AVAILABLE - 2 }).toEqual({ seed, booked: true })
  }
}, 600_000)
