import type { TimedNote } from '../fleet/note.ts'

/** Why a worker had to be replaced: few words, so that they can be labels. */
const RESTART_CAUSES = ['exit', 'signal', 'out-of-memory', 'stuck', 'killed', 'fork-failed', 'memory-limit', 'unhealthy'] as const
const DIRECTIONS = ['up', 'down', 'none'] as const
/** What `heldBackBy` of a decision begins with. */
const OBSTACLES = [
  'manual',
  'cooldown.up',
  'cooldown.down',
  'rate.up',
  'rate.down',
  'database.budget',
  'workers.max',
  'capacity',
  'elsewhere',
  'lopsided',
  'shadow mode',
  'other',
] as const

type RestartCause = (typeof RESTART_CAUSES)[number]
type Direction = (typeof DIRECTIONS)[number]
type Obstacle = (typeof OBSTACLES)[number]

export interface Tally {
  readonly restarts: ReadonlyMap<RestartCause, number>
  readonly decisions: ReadonlyMap<Direction, number>
  readonly heldBack: ReadonlyMap<Obstacle, number>
  take(note: TimedNote): void
}

/** Counts what happens to the fleet. Nothing is kept of a worker that is gone. */
export function createTally(): Tally {
  const restarts = zeros(RESTART_CAUSES)
  const decisions = zeros(DIRECTIONS)
  const heldBack = zeros(OBSTACLES)
  /** What was told of a worker before its end, by its id. */
  const marked = new Map<number, RestartCause>()

  function take(note: TimedNote): void {
    switch (note.kind) {
      case 'worker:stuck':
        return void marked.set(note.workerId, 'stuck')
      case 'worker:killed':
        return void (marked.has(note.workerId) || marked.set(note.workerId, 'killed'))
      case 'worker:memory':
        return void marked.set(note.workerId, 'memory-limit')
      case 'worker:unhealthy':
        return void marked.set(note.workerId, 'unhealthy')
      case 'worker:fork-failed':
        marked.delete(note.workerId)
        return add(restarts, 'fork-failed')
      case 'worker:exited': {
        const cause = causeOf(note, marked.get(note.workerId))
        marked.delete(note.workerId)
        return cause === null ? undefined : add(restarts, cause)
      }
      case 'fleet:decided': {
        const { from, to, heldBackBy } = note.decision
        add(decisions, to > from ? 'up' : to < from ? 'down' : 'none')
        for (const sentence of heldBackBy) add(heldBack, obstacleOf(sentence))
      }
    }
  }

  return { restarts, decisions, heldBack, take }
}

function causeOf({ expected, signal, cause }: Extract<TimedNote, { kind: 'worker:exited' }>, mark: RestartCause | undefined): RestartCause | null {
  // One that was asked to go counts only where it was replaced for what it did.
  if (expected) return mark === 'killed' ? null : (mark ?? null)
  if (cause === 'heap-oom' || cause === 'cgroup-oom') return 'out-of-memory'
  return mark ?? (signal === null ? 'exit' : 'signal')
}

const obstacleOf = (sentence: string): Obstacle => OBSTACLES.find((name) => sentence.startsWith(`${name}:`)) ?? 'other'

const zeros = <Name extends string>(names: readonly Name[]): Map<Name, number> => new Map(names.map((name) => [name, 0]))

const add = <Name extends string>(counts: Map<Name, number>, name: Name): void => void counts.set(name, (counts.get(name) ?? 0) + 1)
