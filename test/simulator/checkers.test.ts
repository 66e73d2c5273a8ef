import { expect, test } from 'vitest'
import { Checkers, type Seen } from '../../packages/supervisor/src/simulator/checkers.ts'
import { fleetSettings } from '../fleet/driver.ts'

const settings = fleetSettings({ workers: { min: 1, max: 2, spares: 1 } })
const running: Seen['fleet'] = { target: 1, phase: 'running', reload: null }
const ledger: Seen['ledger'] = { arrived: 0, answered: 0, cut: 0, waiting: 0 }

const woken = (nowMs: number): Seen['event'] => ({ kind: 'woken', nowMs })
const fork = (workerId: number, role: 'worker' | 'spare' = 'worker'): Seen['commands'][number] => ({
  kind: 'fork',
  workerId,
  slot: 0,
  generation: 1,
  role,
})
const readied = (workerId: number): Partial<Seen> => ({ event: { kind: 'readied', workerId, nowMs: 0 } })
const commands = (...all: Seen['commands'][number][]): Partial<Seen> => ({ commands: all })

/** Each rule with a life that breaks it in its last step. */
const lives: Readonly<Record<string, readonly Partial<Seen>[]>> = {
  'workers stay; workers.max is 2': [commands(fork(1), fork(2), fork(3), fork(4))],
  'spares; workers.spares is 1': [commands(fork(1, 'spare'), fork(2, 'spare'))],
  'was forked twice': [commands(fork(1)), commands(fork(1))],
  'which is not there': [commands({ kind: 'promote', workerId: 9 })],
  'one that is no spare was promoted': [commands(fork(1)), commands({ kind: 'promote', workerId: 1 })],
  'the last ready worker was sent away': [commands(fork(1)), readied(1), commands({ kind: 'drain', workerId: 1, timeoutMs: 1000, patient: false })],
  'killed without cause': [commands(fork(1)), readied(1), commands({ kind: 'kill', workerId: 1 })],
  'answered twice': [
    commands({ kind: 'answer', requestId: 1, error: null, detail: '' }),
    commands({ kind: 'answer', requestId: 1, error: null, detail: '' }),
  ],
  'left 1 workers': [commands(fork(1)), commands({ kind: 'exit', code: 0, message: null })],
  'forked though the fleet stops': [{ ...commands(fork(1)), fleet: { ...running, phase: 'draining' } }],
  'the stop is': [
    { event: { kind: 'stopRequested', reason: '', nowMs: 0 }, fleet: { ...running, phase: 'draining' } },
    { event: woken(31_000), fleet: { ...running, phase: 'draining' } },
  ],
  'the reload began with 2': [
    commands(fork(1), fork(2)),
    readied(1),
    readied(2),
    { event: { kind: 'reloadRequested', requestId: 1, nowMs: 0 }, fleet: { target: 2, phase: 'running', reload: {} } },
    { ...commands({ kind: 'drain', workerId: 1, timeoutMs: 1000, patient: false }), fleet: { target: 2, phase: 'running', reload: {} } },
  ],
  'were answered': [{ ledger: { arrived: 3, answered: 1, cut: 0, waiting: 1 } }],
  'a bug was reported': [{ notes: [{ kind: 'supervisor:bug', message: 'x' }] }],
}

for (const [sentence, steps] of Object.entries(lives)) {
  test(`the checker bites: ${sentence}`, () => {
    const checkers = new Checkers(settings)
    const verdicts = steps.map((step) => checkers.after({ event: woken(0), commands: [], notes: [], fleet: running, ledger, ...step }))
    expect(verdicts.slice(0, -1).flat()).toEqual([])
    expect(verdicts.at(-1)).toEqual([expect.stringContaining(sentence)])
  })
}
