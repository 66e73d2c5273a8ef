import { describe, expect, test } from 'vitest'
import type { Status } from '../../packages/supervisor/src/fleet/status.ts'
import { describeStep, renderDecision } from '../../packages/supervisor/src/operator/render-decision.ts'
import { renderStatus } from '../../packages/supervisor/src/operator/render-status.ts'
import { createTerminal, harmless } from '../../packages/supervisor/src/operator/terminal.ts'
import { bytes, count, milliseconds, ratio, timeOfDay, uptime } from '../../packages/supervisor/src/operator/units.ts'
import { decision, status, worker } from './fake-control.ts'

const plain = (_: unknown, text: string): string => text
const render = (shown: Status): string => renderStatus(shown, decision.atMs, plain).join('\n')

describe('status', () => {
  test('shows what is not known as unknown, never as 0', () => {
    const [, second] = status.workers
    const line = renderStatus(status, decision.atMs, plain).find((text) => text.startsWith('2 '))
    expect(second?.cpu).toBeNull()
    expect(line).toMatch(/^2 +42 +1 +1 +booting +9s +- +- +40 % +12 ms +- +900 +- +12 +7$/)
  })

  test('keeps its columns in line', () => {
    const lines = renderStatus({ ...status, workers: [worker, { ...worker, id: 1234, memoryBytes: 1.5e9, requestsPerSecond: 12_345 }] }, 0, plain)
    const [title, ...rows] = lines.slice(2, 5)
    for (const name of ['cpu', 'queue', 'sockets']) {
      const column = title?.indexOf(name) ?? -1
      for (const row of rows) expect(row.slice(column - 1, column + 1)).toMatch(/^ \S$/)
    }
  })

  test("tells the app's own signals, and how long requests waited where that is known", () => {
    expect(render(status)).toContain('p95 14 ms, jobs 4')
    const fleet = { ...status.fleet, queueTimeP95Ms: 754, signals: { jobs: null } }
    expect(render({ ...status, fleet })).toContain('p95 14 ms, queue time 754 ms, jobs -')
  })

  test('tells of no workers, of restarts, of a budget and of other replicas', () => {
    expect(render({ ...status, workers: [] })).toContain('no workers')
    expect(render({ ...status, lastDecision: null })).toContain('no decision yet')
    const lastExit = { atMs: decision.atMs, workerId: 3, code: null, signal: 'SIGKILL', cause: 'heap-oom', lastStderrLines: [] }
    expect(render({ ...status, restarts: { total: 2, lastExit } })).toMatch(/restarts {2}2; last worker 3 at [\d:]+, SIGKILL \(heap-oom\)/)
    expect(
      render({
        ...status,
        database: { budget: 100, share: 97, granted: 40, acknowledged: 40, inUse: 12, waiting: 3, quarantined: 2, foreign: 0, why: [] },
      }),
    ).toContain('40 of 97 connections granted, budget 100; 12 in use, 3 waiting, 2 of dead workers not yet closed by the server')
    const [worker] = status.workers
    const withLease = { ...(worker as NonNullable<typeof worker>), database: { granted: 20, acknowledged: 20, inUse: 3, waiting: 0 } }
    expect(render({ ...status, workers: [withLease] })).toMatch(/sockets +db\n.* 3\/20\n/)
    expect(render({ ...status, replica: { id: 'a', peers: 1, coordination: 'redis-lost' } })).toContain('1 peers, redis-lost')
  })
})

describe('decision', () => {
  test.for([
    [{ from: 2, to: 3, wanted: 3 }, '2 → 3'],
    [{ from: 2, to: 3, wanted: 4 }, '2 → 3 (wanted 4)'],
    [{ from: 2, to: 2, wanted: 2 }, 'stays at 2'],
    [{ from: 2, to: 2, wanted: 3 }, 'stays at 2 (wanted 3)'],
  ] as const)('%j reads "%s"', ([step, text]) => {
    expect(describeStep({ ...decision, ...step })).toBe(text)
  })

  test('lists every signal, with what is not known as unknown', () => {
    const signals = { cpu: { value: null, threshold: 0.7, heldForMs: 0 }, orders: { value: 12.34, threshold: 10, heldForMs: 1500 } }
    const text = renderDecision({ ...decision, signals, heldBackBy: ['one', 'two'] }, 0, plain).join('\n')
    expect(text).toContain('read          cpu     unknown (threshold 70 %), does not hold\n                orders  12 (threshold 10), held for 1.5 s')
    expect(text).toContain('held back by  one\n                two')
  })
})

describe('units', () => {
  test.for([
    [ratio(null), '-'],
    [ratio(0), '0 %'],
    [milliseconds(null), '-'],
    [milliseconds(0.44), '0.4 ms'],
    [count(null), '-'],
    [bytes(null), '-'],
    [bytes(82_400_000), '82 MB'],
    [bytes(1.26e9), '1.3 GB'],
    [uptime(-1), '0s'],
    [uptime(59.9), '59s'],
    [uptime(200), '3m 20s'],
    [uptime(3725), '1h 02m'],
    [uptime(90_000), '1d 01h'],
  ] as const)('%s = %s', ([shown, expected]) => {
    expect(shown).toBe(expected)
  })

  test('the time of another day comes with its date', () => {
    expect(timeOfDay(0, 0)).toMatch(/^\d\d:\d\d:\d\d$/)
    expect(timeOfDay(0, 5 * 86_400_000)).toMatch(/^19\d\d-\d\d-\d\d \d\d:\d\d:\d\d$/)
  })
})

describe('terminal', () => {
  test.for([
    [true, {}, true],
    [true, { NO_COLOR: '' }, true],
    [true, { NO_COLOR: '1' }, false],
    [true, { TERM: 'dumb' }, false],
    [false, {}, false],
  ] as const)('a terminal: %s, with %j, is coloured: %s', ([isTTY, environment, coloured]) => {
    const stream = { isTTY, on: () => stream, write: () => true } as unknown as NodeJS.WriteStream
    const { paint, isTerminal } = createTerminal(stream, stream, environment)
    expect(isTerminal).toBe(isTTY)
    expect(paint('red', 'x') !== 'x').toBe(coloured)
    expect(paint('red', 'x')).toContain('x')
  })

  test('text from elsewhere keeps its lines and loses what steers a terminal', () => {
    expect(harmless('a\tb\nc\u001b[31md\u0000\r\u0085\u009b2Jé')).toBe('a\tb\nc[31md2Jé')
  })
})

test('a surge that a cooldown holds back does not claim to ignore cooldowns', () => {
  const surge = { ...decision, lane: 'surge' } as const
  const ruleOf = (heldBackBy: readonly string[]) => /rule +(.*)/.exec(renderDecision({ ...surge, heldBackBy }, 0, plain).join('\n'))?.[1]
  expect(ruleOf([])).toBe('surge: ignores windows and cooldowns')
  expect(ruleOf(['cooldown.up: 30 s of 60 s left', 'shadow mode: decided, not done'])).toBe(
    'surge: ignores windows (cooldowns too, except in shadow mode)',
  )
})
