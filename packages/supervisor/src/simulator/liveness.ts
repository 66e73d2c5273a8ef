import type { Fleet } from '../fleet/fleet.ts'

/** A run whose faults are to end. */
interface Troubled {
  /** When a primary that stands still goes on. */
  readonly goesOnAtMs: number
  /** Requests that nobody has answered yet. */
  readonly waiting: number
  run(untilMs: number): void
}

/** Between two looks at how many requests wait. */
export const LOOK_MS = 30_000
/** On their way at any moment, whatever the load. */
const FEW_WAITING = 20
/** Drains and boots one after the other, each up to its deadline, and what backs off in between. */
const LONGEST_MS = 1_800_000

/** Lets a run that is over at `endMs` go on without faults until all has healed; answers what has not, where that never happens. */
export function comeToRest(troubled: Troubled & { settle(): void }, unhealed: () => readonly string[], endMs: number): readonly string[] {
  const fromMs = Math.max(endMs, troubled.goesOnAtMs)
  // Whoever stands still for longer does not heal before.
  if (fromMs > endMs + LONGEST_MS) return []
  troubled.run(fromMs)
  troubled.settle()
  return lookOn(troubled, unhealed, fromMs)
}

/** A queue need not be over yet, but it must become shorter; those that wait for something slow may take a while. */
export function getsShorter(troubled: Troubled, before: number, nowMs: number): readonly string[] {
  return notServed(troubled.waiting, before).length === 0 ? [] : lookOn(troubled, () => [], nowMs)
}

function lookOn(troubled: Troubled, unhealed: () => readonly string[], fromMs: number): readonly string[] {
  let before = troubled.waiting
  for (let untilMs = fromMs + LOOK_MS; ; untilMs += LOOK_MS) {
    troubled.run(untilMs)
    const broken = [...unhealed(), ...notServed(troubled.waiting, before)]
    if (broken.length === 0 || untilMs >= fromMs + LONGEST_MS) return broken
    before = troubled.waiting
  }
}

function notServed(waiting: number, before: number): string[] {
  if (waiting <= FEW_WAITING || waiting < before) return []
  return [`${Math.round(waiting)} requests wait after all faults have ended, and ${Math.round(before)} did ${LOOK_MS / 1000} s before`]
}

/** An app that failed more often than it may: to end, with the cause, is what the supervisor was told to do then. */
export const hasGivenUp = ({ stopping }: Fleet): boolean => stopping?.code === 1
