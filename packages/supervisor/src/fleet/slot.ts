/**
 * The life of one worker, as a table: what each event does in each state.
 *
 *   vacant --fork--> booting --ready--> ready --drain--> draining --exit--> vacant
 *                       |                 ^                  |
 *                       +--ready--> spare +--promote         +--kill--> killing --exit--> vacant
 *
 * A cell is the next state, `STAY` (harmless here, nothing changes) or `REFUSE` (must not happen; reported as a bug).
 * The table is complete by its type: a state or an event without a cell does not compile.
 */

export type Role = 'worker' | 'spare'

export type Life =
  | { readonly kind: 'vacant' }
  | { readonly kind: 'booting'; readonly role: Role; readonly deadlineMs: number }
  /** Booted and listening, but it accepts nothing yet. */
  | { readonly kind: 'spare'; readonly readyAtMs: number }
  | { readonly kind: 'ready'; readonly readyAtMs: number }
  | { readonly kind: 'draining'; readonly deadlineMs: number }
  /** SIGKILL was sent. `failed` tells whether its end counts as a failure of the app; the rest, what it was before. */
  | { readonly kind: 'killing'; readonly failed: boolean; readonly role: Role; readonly booted: boolean }

export type LifeEvent =
  | { readonly kind: 'fork'; readonly role: Role; readonly deadlineMs: number }
  | { readonly kind: 'ready'; readonly nowMs: number }
  | { readonly kind: 'promote'; readonly nowMs: number }
  | { readonly kind: 'drain'; readonly deadlineMs: number }
  | { readonly kind: 'kill'; readonly failed: boolean }
  | { readonly kind: 'exit' }

export const STAY: unique symbol = Symbol('stay')
export const REFUSE: unique symbol = Symbol('refuse')
type Outcome = Life | typeof STAY | typeof REFUSE

type In<Kind extends Life['kind']> = Extract<Life, { kind: Kind }>
type On<Kind extends LifeEvent['kind']> = Extract<LifeEvent, { kind: Kind }>
type Table = {
  readonly [S in Life['kind']]: {
    readonly [E in LifeEvent['kind']]: typeof STAY | typeof REFUSE | ((life: In<S>, event: On<E>) => Life)
  }
}

const vacant: Life = { kind: 'vacant' }
const drain = (_: Life, event: On<'drain'>): Life => ({ kind: 'draining', deadlineMs: event.deadlineMs })
const kill = (_: Life, event: On<'kill'>): Life => ({ kind: 'killing', failed: event.failed, role: 'worker', booted: true })
const exit = (): Life => vacant

const table: Table = {
  vacant: {
    fork: (_, event) => ({ kind: 'booting', role: event.role, deadlineMs: event.deadlineMs }),
    ready: REFUSE,
    promote: REFUSE,
    drain: REFUSE,
    kill: REFUSE,
    exit: REFUSE,
  },
  booting: {
    fork: REFUSE,
    ready: (life, event) => ({ kind: life.role === 'spare' ? 'spare' : 'ready', readyAtMs: event.nowMs }),
    // Promoted before it is ready: it will be ready, not spare.
    promote: (life) => ({ ...life, role: 'worker' }),
    drain,
    kill: (life, event) => ({ kind: 'killing', failed: event.failed, role: life.role, booted: false }),
    exit,
  },
  spare: {
    fork: REFUSE,
    ready: STAY,
    promote: (_, event) => ({ kind: 'ready', readyAtMs: event.nowMs }),
    drain,
    kill: (_, event) => ({ kind: 'killing', failed: event.failed, role: 'spare', booted: true }),
    exit,
  },
  ready: { fork: REFUSE, ready: STAY, promote: REFUSE, drain, kill, exit },
  draining: {
    fork: REFUSE,
    ready: STAY,
    promote: REFUSE,
    // Hurried: a deadline only ever comes nearer.
    drain: (life, event) => ({ kind: 'draining', deadlineMs: Math.min(life.deadlineMs, event.deadlineMs) }),
    kill,
    exit,
  },
  killing: { fork: REFUSE, ready: STAY, promote: REFUSE, drain: STAY, kill: STAY, exit },
}

export function nextLife(life: Life, event: LifeEvent): Outcome {
  const cell = table[life.kind][event.kind]
  return typeof cell === 'function' ? (cell as (life: Life, event: LifeEvent) => Life)(life, event) : cell
}

/** The table as a Mermaid state diagram, for the docs: it cannot differ from the code. */
export function lifeDiagram(): string {
  const samples: Record<Life['kind'], Life[]> = {
    vacant: [vacant],
    booting: [
      { kind: 'booting', role: 'worker', deadlineMs: 0 },
      { kind: 'booting', role: 'spare', deadlineMs: 0 },
    ],
    spare: [{ kind: 'spare', readyAtMs: 0 }],
    ready: [{ kind: 'ready', readyAtMs: 0 }],
    draining: [{ kind: 'draining', deadlineMs: 0 }],
    killing: [{ kind: 'killing', failed: false, role: 'worker', booted: true }],
  }
  const events: LifeEvent[] = [
    { kind: 'fork', role: 'worker', deadlineMs: 0 },
    { kind: 'ready', nowMs: 0 },
    { kind: 'promote', nowMs: 0 },
    { kind: 'drain', deadlineMs: 0 },
    { kind: 'kill', failed: false },
    { kind: 'exit' },
  ]
  const arrows = new Set<string>()
  for (const lives of Object.values(samples)) {
    for (const life of lives) {
      for (const event of events) {
        const next = nextLife(life, event)
        if (typeof next !== 'symbol' && next.kind !== life.kind) arrows.add(`  ${life.kind} --> ${next.kind}: ${event.kind}`)
      }
    }
  }
  return ['stateDiagram-v2', '  [*] --> vacant', ...arrows].join('\n')
}
