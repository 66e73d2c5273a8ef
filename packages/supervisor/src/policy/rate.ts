import type { Rate } from './settings.ts'

/** One change of the size that the load called for: workers added, or (negative) let go. */
export interface Change {
  readonly atMs: number
  readonly by: number
}

/** How many more workers a rate allows now, and when it next allows more; endless where there is no rate. */
export interface Allowance {
  readonly workers: number
  readonly againInMs: number
}

export function allowanceOf(rate: Rate | null, changes: readonly Change[], direction: 1 | -1, nowMs: number): Allowance {
  if (!rate) return { workers: Number.POSITIVE_INFINITY, againInMs: 0 }
  const recent = changes.filter(({ atMs, by }) => Math.sign(by) === direction && nowMs - atMs < rate.perMs)
  const used = recent.reduce((sum, { by }) => sum + Math.abs(by), 0)
  const oldest = recent[0]
  return { workers: Math.max(0, rate.workers - used), againInMs: oldest ? oldest.atMs + rate.perMs - nowMs : 0 }
}

/** What a rate must remember. No more than it allows can be in its period, so the list stays short by itself; without rates it is empty. */
export function remember(changes: readonly Change[], change: Change, up: Rate | null, down: Rate | null): Change[] {
  const rateOf = ({ by }: Change): Rate | null => (by > 0 ? up : down)
  return [...changes, change].filter((each) => change.atMs - each.atMs < (rateOf(each)?.perMs ?? 0))
}
