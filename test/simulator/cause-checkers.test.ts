import { expect, test } from 'vitest'
import { CauseCheckers, type CauseSeen } from '../../packages/supervisor/src/simulator/cause-checkers.ts'
import { fleetSettings, reportOf } from '../fleet/driver.ts'

const settings = fleetSettings({ restart: { intensity: 1, windowMs: 60_000 }, health: { stuckAfterMs: 10_000 } })

const fork = (workerId: number): Partial<CauseSeen> => ({ commands: [{ kind: 'fork', workerId, slot: 0, generation: 1, role: 'worker' }] })
const readied = (workerId: number, nowMs = 0): Partial<CauseSeen> => ({ event: { kind: 'readied', workerId, nowMs } })
const exited = (workerId: number, nowMs = 0): Partial<CauseSeen> => ({
  event: { kind: 'exited', workerId, code: 1, signal: null, cause: null, lastStderrLines: [], nowMs },
})
/** Of these workers the sample has reports; worker 2 is there in any case. */
const sampled = (nowMs: number, ...workerIds: number[]): CauseSeen['event'] => ({
  kind: 'sampled',
  wallMs: nowMs,
  samples: [1, 2].map((workerId) => ({ workerId, cpu: 0, memoryBytes: 1, report: workerIds.includes(workerId) ? reportOf() : null })),
  usage: { cpus: 0, memoryBytes: 1 },
  nowMs,
})
const shrunk = (lane: 'window' | 'bounds'): CauseSeen['notes'] => [
  {
    kind: 'fleet:decided',
    decision: { atMs: 0, from: 2, to: 1, wanted: 1, lane, reason: '', signals: {}, heldBackBy: [], wouldChange: '', replicas: null },
  },
]
const end = (code: 0 | 1): Partial<CauseSeen> => ({ commands: [{ kind: 'exit', code, message: null }] })
const stop: Partial<CauseSeen> = { event: { kind: 'stopRequested', reason: '', nowMs: 0 }, fleet: { phase: 'draining' } }
const two = [fork(1), fork(2), readied(1), readied(2)]

/** Each rule with a life that breaks it in its last step, and one that comes close and does not. */
const rules: readonly (readonly [sentence: string, bad: readonly Partial<CauseSeen>[], good: readonly Partial<CauseSeen>[]])[] = [
  [
    'I19: worker 1 was taken for stuck 9000 ms after it was heard',
    [...two, { event: sampled(1000, 1, 2) }, { event: sampled(10_000), commands: [{ kind: 'diagnose', workerId: 1 }] }],
    [...two, { event: sampled(1000, 1, 2) }, { event: sampled(11_000), commands: [{ kind: 'diagnose', workerId: 1 }] }],
  ],
  ['I20: the stop that was asked for ended with code 1', [stop, end(1)], [stop, end(0)]],
  [
    'I18: the supervisor ended with code 0, though nobody asked it to',
    [{ fleet: { phase: 'draining' } }, end(0)],
    [{ fleet: { phase: 'draining' } }, stop, end(1)],
  ],
  [
    'I18: worker 4 was forked after 2 were lost within 60000 ms; restart.intensity is 1',
    [...two, exited(1, 0), exited(2, 59_000), { ...fork(4), event: { kind: 'woken', nowMs: 59_500 } }],
    [...two, exited(1, 0), exited(2, 59_000), { ...fork(4), event: { kind: 'woken', nowMs: 60_000 } }],
  ],
  [
    'the fleet shrinks from 2 to 1 by its load, though worker 2 said nothing of its own',
    [...two, { event: sampled(1000, 1), notes: shrunk('window') }],
    [...two, { event: sampled(1000, 1), notes: shrunk('bounds') }, { event: sampled(2000, 1, 2), notes: shrunk('window') }],
  ],
]

test.for(rules)('the checker bites, and only then: %s', ([sentence, bad, good]) => {
  const verdicts = (steps: readonly Partial<CauseSeen>[]): (readonly string[])[] => {
    const checkers = new CauseCheckers(settings)
    return steps.map((step) => checkers.after({ event: { kind: 'woken', nowMs: 0 }, commands: [], notes: [], fleet: { phase: 'running' }, ...step }))
  }
  expect(verdicts(bad).slice(0, -1).flat()).toEqual([])
  expect(verdicts(bad).at(-1)).toEqual([expect.stringContaining(sentence)])
  expect(verdicts(good).flat()).toEqual([])
})
