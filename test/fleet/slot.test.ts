import { expect, test } from 'vitest'
import { type Life, type LifeEvent, REFUSE, STAY, lifeDiagram, nextLife } from '../../packages/supervisor/src/fleet/slot.ts'

const lives: Readonly<Record<string, Life>> = {
  vacant: { kind: 'vacant' },
  'booting as a worker': { kind: 'booting', role: 'worker', deadlineMs: 100 },
  'booting as a spare': { kind: 'booting', role: 'spare', deadlineMs: 100 },
  spare: { kind: 'spare', readyAtMs: 5 },
  ready: { kind: 'ready', readyAtMs: 5 },
  draining: { kind: 'draining', deadlineMs: 100 },
  killing: { kind: 'killing', failed: true, role: 'worker', booted: true },
}

const events = {
  fork: { kind: 'fork', role: 'spare', deadlineMs: 200 },
  ready: { kind: 'ready', nowMs: 50 },
  promote: { kind: 'promote', nowMs: 50 },
  drain: { kind: 'drain', deadlineMs: 80 },
  kill: { kind: 'kill', failed: true },
  exit: { kind: 'exit' },
} as const satisfies Record<LifeEvent['kind'], LifeEvent>

const vacant: Life = { kind: 'vacant' }
const ready: Life = { kind: 'ready', readyAtMs: 50 }
const draining: Life = { kind: 'draining', deadlineMs: 80 }
const killing = (role: 'worker' | 'spare', booted: boolean): Life => ({ kind: 'killing', failed: true, role, booted })

/** Every state and every event, written out a second time. */
const expected: Readonly<Record<string, Readonly<Record<LifeEvent['kind'], Life | typeof STAY | typeof REFUSE>>>> = {
  vacant: { fork: { kind: 'booting', role: 'spare', deadlineMs: 200 }, ready: REFUSE, promote: REFUSE, drain: REFUSE, kill: REFUSE, exit: REFUSE },
  'booting as a worker': {
    fork: REFUSE,
    ready,
    promote: { kind: 'booting', role: 'worker', deadlineMs: 100 },
    drain: draining,
    kill: killing('worker', false),
    exit: vacant,
  },
  'booting as a spare': {
    fork: REFUSE,
    ready: { kind: 'spare', readyAtMs: 50 },
    promote: { kind: 'booting', role: 'worker', deadlineMs: 100 },
    drain: draining,
    kill: killing('spare', false),
    exit: vacant,
  },
  spare: { fork: REFUSE, ready: STAY, promote: ready, drain: draining, kill: killing('spare', true), exit: vacant },
  ready: { fork: REFUSE, ready: STAY, promote: REFUSE, drain: draining, kill: killing('worker', true), exit: vacant },
  draining: { fork: REFUSE, ready: STAY, promote: REFUSE, drain: draining, kill: killing('worker', true), exit: vacant },
  killing: { fork: REFUSE, ready: STAY, promote: REFUSE, drain: STAY, kill: STAY, exit: vacant },
}

for (const [name, life] of Object.entries(lives)) {
  test.for(Object.values(events))(`${name}, on $kind`, (event) => {
    expect(nextLife(life, event)).toEqual(expected[name]?.[event.kind])
  })
}

test('a drain under way is hurried, never given more time', () => {
  expect(nextLife({ kind: 'draining', deadlineMs: 60 }, events.drain)).toEqual({ kind: 'draining', deadlineMs: 60 })
})

test('the diagram shows every way through a life, drawn from the table', () => {
  expect(lifeDiagram().split('\n')).toEqual([
    'stateDiagram-v2',
    '  [*] --> vacant',
    '  vacant --> booting: fork',
    '  booting --> ready: ready',
    '  booting --> draining: drain',
    '  booting --> killing: kill',
    '  booting --> vacant: exit',
    '  booting --> spare: ready',
    '  spare --> ready: promote',
    '  spare --> draining: drain',
    '  spare --> killing: kill',
    '  spare --> vacant: exit',
    '  ready --> draining: drain',
    '  ready --> killing: kill',
    '  ready --> vacant: exit',
    '  draining --> killing: kill',
    '  draining --> vacant: exit',
    '  killing --> vacant: exit',
  ])
})
