import type { WorkerFacts } from './signals.ts'
import type { ScalingSettings } from './settings.ts'

/**
 * Requests that wait while the workers idle wait for something that more workers would only wait for as well: a database that no longer keeps
 * up, a service that is slow. `queue` and `p95` count a wait whatever it is for, so alone they make idle workers no more.
 */

/** A worker with half its time left is not what its requests wait for. */
const IDLE_BELOW = 0.5
/** Requests that come in all at once keep a loop busy for a moment, whatever they wait for then; a rush keeps it so. */
const MEMORY_MS = 1000

/**
 * The share of its event loop or of a core that the busiest worker uses, whichever is more: one hot worker among idle ones is a wait here.
 * Null where a worker is silent, since what is not known proves nothing.
 */
export function busiestOf(ready: readonly WorkerFacts[]): number | null {
  let most = -1
  for (const { cpu, report } of ready) {
    if (cpu === null || report === null) return null
    most = Math.max(most, cpu, report.eventLoopUtilization)
  }
  return most < 0 || !Number.isFinite(most) ? null : most
}

/** The mean of the last seconds, carried over one more tick. */
export function advanceBusiest(mean: number | null, busiest: number | null, intervalMs: number): number | null {
  if (mean === null || busiest === null) return busiest
  return mean + (1 - Math.exp(-intervalMs / MEMORY_MS)) * (busiest - mean)
}

/** Why growth that these signals call for would not help; null where it would. */
export function waitsElsewhere(
  names: readonly string[],
  busiest: number | null,
  { heldWhileIdle }: Pick<ScalingSettings, 'heldWhileIdle'>,
): string | null {
  if (busiest === null || busiest >= IDLE_BELOW) return null
  if (names.length === 0 || !names.every((name) => heldWhileIdle.includes(name))) return null
  const busy = `even the busiest worker uses only ${Math.round(busiest * 100)} % of its event loop or of a core`
  return `elsewhere: ${busy}; what requests wait for is elsewhere, and more workers would wait for it as well`
}
