import type { WorkerFacts } from './signals.ts'
import type { ScalingSettings } from './settings.ts'

/**
 * Requests that wait while the workers idle wait for something that more workers would only wait for as well: a database that no longer keeps
 * up, a service that is slow; or for one worker that has more than it can do, beside others that do not have it. `queue` and `p95` count a wait whatever it is for, so alone they make idle workers no more.
 */

/** Why growth is in vain: the wait is for something else, or for one worker. More replicas would meet the same. */
export interface InVain {
  readonly name: 'elsewhere' | 'lopsided'
  readonly sentence: string
}

export const IN_VAIN: ReadonlySet<string> = new Set<InVain['name']>(['elsewhere', 'lopsided'])

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

/** The same of all but the busiest, as a mean; null where there are no others, or one is silent. */
export function othersOf(ready: readonly WorkerFacts[]): number | null {
  const most = busiestOf(ready)
  if (most === null || ready.length < 2) return null
  const sum = ready.reduce((total, { cpu, report }) => total + Math.max(cpu ?? 0, report?.eventLoopUtilization ?? 0), 0)
  return (sum - most) / (ready.length - 1)
}

/** The mean of the last seconds, carried over one more tick. */
export function advanceShare(mean: number | null, share: number | null, intervalMs: number): number | null {
  if (mean === null || share === null) return share
  return mean + (1 - Math.exp(-intervalMs / MEMORY_MS)) * (share - mean)
}

/** Why growth that these signals call for would not help; null where it would. */
export function whyInVain(
  names: readonly string[],
  { busiest, others }: { readonly busiest: number | null; readonly others: number | null },
  { heldWhileIdle }: Pick<ScalingSettings, 'heldWhileIdle'>,
): InVain | null {
  if (busiest === null || names.length === 0 || !names.every((name) => heldWhileIdle.includes(name))) return null
  if (busiest < IDLE_BELOW) {
    const busy = `even the busiest worker uses only ${percent(busiest)} of its event loop or of a core`
    const sentence = `elsewhere: ${busy}; what requests wait for is elsewhere, and more workers would wait for it as well`
    return { name: 'elsewhere', sentence }
  }
  if (others === null || others >= IDLE_BELOW) return null
  const busy = `one worker uses ${percent(busiest)} of its event loop or of a core, and the others ${percent(others)} in the mean`
  const its = 'what waits belongs to that one (sessions that stick, connections that stay)'
  return { name: 'lopsided', sentence: `lopsided: ${busy}; ${its}, and more workers would idle beside it` }
}

const percent = (share: number): string => `${Math.round(share * 100)} %`
