import type { Scenario } from './scenario.ts'
import type { Range } from './scenario-kind.ts'

/** A run to be made: the scenario, and what belongs to it but not to the virtual world. */
export interface Plan {
  readonly about: string
  readonly scenario: Scenario
  readonly durationMs: number
  /** Workers at the start, where that is known; else `workers.min`. */
  readonly firstTarget: number | null
  readonly tickMs: number
  /** What the clock on the wall shows at the start, in unix milliseconds. */
  readonly startsAtMs: number
  /** Response times above this count as seconds over the objective. */
  readonly objectiveMs: number
  /** Options that the scenario brings along; a config file wins over them. */
  readonly options: object
  readonly expect: Readonly<Record<string, Range | undefined>>
}

/** A run of more ticks than this is a slip of the pen. */
export const MOST_TICKS = 3_000_000

/** Where a scenario or a trace says nothing. */
export const STANDARD = {
  seed: 1,
  tickMs: 1000,
  /** A Monday. */
  startsAt: '2026-01-05T00:00:00Z',
  cpus: 8,
  hostMemoryBytes: 8e9,
  cpuMs: 4,
  waitMs: 20,
  bootMs: 1500,
  memoryBytes: 90e6,
  memoryPerRequestBytes: 2e5,
  gcEveryBytes: 32e6,
  gcPauseMs: 15,
  socketStaysS: 600,
  socketMemoryBytes: 50_000,
  replicaBootMs: 60_000,
  databaseConcurrency: 10_000,
} as const

/** An objective that nobody gave: what people do not yet feel, or three times what a request takes by itself. */
export function standardObjectiveMs(request: { readonly cpuMs: number; readonly waitMs: number }): number {
  return Math.max(500, 3 * (request.cpuMs + request.waitMs))
}
