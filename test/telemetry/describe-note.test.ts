import { expect, test } from 'vitest'
import type { Note, TimedNote } from '../../packages/supervisor/src/fleet/note.ts'
import type { Decision } from '../../packages/supervisor/src/policy/decision.ts'
import { describeNote } from '../../packages/supervisor/src/telemetry/describe-note.ts'
import { logNotes } from '../../packages/supervisor/src/telemetry/log-notes.ts'
import { createLogger } from '../../packages/supervisor/src/telemetry/logger.ts'
import { collect } from './lines.ts'

const grown: Decision = {
  atMs: 1,
  from: 1,
  to: 2,
  wanted: 2,
  lane: 'window',
  reason: 'cpu 85 % above 70 % for 60 s',
  signals: {},
  heldBackBy: [],
  wouldChange: '',
  replicas: null,
}
const held: Decision = { ...grown, to: 1, wanted: 3, heldBackBy: ['capacity: 1 CPU (cgroup2) carry 1 worker', 'cooldown'] }
const death = { kind: 'worker:exited', workerId: 3, slot: 1, because: null, lastStderrLines: [] } as const

type Row<Kind extends Note['kind']> = readonly [note: Extract<Note, { readonly kind: Kind }>, level: string, message: string]

const ROWS: { readonly [Kind in Note['kind']]: readonly Row<Kind>[] } = {
  'worker:forked': [
    [{ kind: 'worker:forked', workerId: 3, slot: 1, generation: 2, role: 'spare' }, 'debug', 'worker 3 starts as a spare (slot 1, generation 2)'],
  ],
  'worker:ready': [
    [{ kind: 'worker:ready', workerId: 3, slot: 1, generation: 1, bootMs: 140.4, spare: false }, 'info', 'worker 3 is ready (140 ms)'],
    [{ kind: 'worker:ready', workerId: 3, slot: 1, generation: 1, bootMs: 1540, spare: true }, 'info', 'worker 3 is ready as a spare (1.5 s)'],
  ],
  'worker:promoted': [[{ kind: 'worker:promoted', workerId: 3, slot: 1 }, 'info', 'worker 3, a spare, was promoted (slot 1)']],
  'worker:draining': [[{ kind: 'worker:draining', workerId: 3, slot: 1, reason: 'scaled in' }, 'info', 'worker 3 drains: scaled in']],
  'worker:drained': [
    [{ kind: 'worker:drained', workerId: 3, cutConnections: 0, cutRequests: 0 }, 'info', 'worker 3 has drained, nothing was cut'],
    [
      { kind: 'worker:drained', workerId: 3, cutConnections: 2, cutRequests: 1 },
      'warn',
      'worker 3 has drained, but 1 request and 2 connections were cut at its deadline (drain.timeout)',
    ],
  ],
  'worker:killed': [
    [
      { kind: 'worker:killed', workerId: 3, reason: 'its drain did not end by its deadline' },
      'warn',
      'worker 3 is killed: its drain did not end by its deadline',
    ],
  ],
  'worker:stuck': [
    [
      { kind: 'worker:stuck', workerId: 3, silentMs: 10_200 },
      'error',
      'worker 3 is stuck: its event loop has not turned for 10.2 s; it will be diagnosed and replaced',
    ],
  ],
  'worker:diagnosed': [
    [
      { kind: 'worker:diagnosed', workerId: 3, reportPath: '/tmp/report.json' },
      'warn',
      'worker 3 is stuck: the diagnostic report that shows where is /tmp/report.json',
    ],
    [{ kind: 'worker:diagnosed', workerId: 3, reportPath: null }, 'warn', 'worker 3 is stuck and wrote no diagnostic report'],
  ],
  'worker:unhealthy': [
    [
      { kind: 'worker:unhealthy', workerId: 3, detail: '/health answered 500 three times' },
      'warn',
      'worker 3 is unhealthy: /health answered 500 three times',
    ],
  ],
  'worker:memory': [
    [
      { kind: 'worker:memory', workerId: 3, memoryBytes: 612e6, limitBytes: 512e6 },
      'warn',
      'worker 3 uses 612 MB of memory, more than its limit of 512 MB (workers.memoryLimit), and will be replaced',
    ],
  ],
  'worker:exited': [
    [
      { ...death, expected: false, because: 'was stuck', code: null, signal: 'SIGKILL', cause: null },
      'error',
      'worker 3 was ended by SIGKILL, by the supervisor, because it was stuck',
    ],
    [{ ...death, expected: true, code: 0, signal: null, cause: null }, 'info', 'worker 3 exited with code 0'],
    [{ ...death, expected: false, code: 1, signal: null, cause: null }, 'error', 'worker 3 exited with code 1, unasked'],
    [{ ...death, expected: false, code: null, signal: 'SIGABRT', cause: 'heap-oom' }, 'error', 'worker 3 was ended by SIGABRT (heap-oom), unasked'],
  ],
  'worker:fork-failed': [[{ kind: 'worker:fork-failed', workerId: 3, message: 'EAGAIN' }, 'error', 'worker 3 could not be forked: EAGAIN']],
  'fleet:restarting': [
    [
      { kind: 'fleet:restarting', inMs: 400, recent: 1, intensity: 5 },
      'warn',
      'a new worker starts in 400 ms: 1 failure of the 5 that restart.intensity allows',
    ],
  ],
  'fleet:running': [
    [{ kind: 'fleet:running', ready: 1 }, 'info', 'the fleet is running: 1 worker is ready'],
    [{ kind: 'fleet:running', ready: 2 }, 'info', 'the fleet is running: 2 workers are ready'],
  ],
  'fleet:listening': [
    [{ kind: 'fleet:listening', addresses: ['[::]:3000', '/run/app.sock'] }, 'info', 'the fleet listens on [::]:3000, /run/app.sock'],
  ],
  'fleet:decided': [
    [{ kind: 'fleet:decided', decision: grown }, 'debug', 'decision: 1 to 2 workers: cpu 85 % above 70 % for 60 s'],
    [
      { kind: 'fleet:decided', decision: held },
      'info',
      'decision: 3 workers would be right, but 1 it is: cpu 85 % above 70 % for 60 s; held back by capacity: 1 CPU (cgroup2) carry 1 worker; cooldown',
    ],
  ],
  'fleet:scaled': [[{ kind: 'fleet:scaled', from: 2, to: 1, reason: 'by hand' }, 'info', 'the fleet scales from 2 to 1 worker: by hand']],
  'fleet:replicas': [
    [
      {
        kind: 'fleet:replicas',
        have: 2,
        needs: 3,
        reason: 'the load calls for 11 workers, and a replica carries 4 workers',
        costUsdPerMonth: 80,
        isOverBudget: false,
      },
      'warn',
      'needs replicas: 3 (2 now): the load calls for 11 workers, and a replica carries 4 workers; 80 USD a month',
    ],
    [
      { kind: 'fleet:replicas', have: 3, needs: 2, reason: 'why', costUsdPerMonth: 60, isOverBudget: true },
      'info',
      'needs replicas: 2 (3 now, fewer would do): why; 60 USD a month, more than 150 % of the budget (cost.budgetMonth)',
    ],
    [
      { kind: 'fleet:replicas', have: 2, needs: 2, reason: 'why', costUsdPerMonth: 60, isOverBudget: false },
      'info',
      'needs replicas: 2 (as there are): why; 60 USD a month',
    ],
  ],
  'fleet:warning': [
    [{ kind: 'fleet:warning', message: 'workers.max is 10, but the container carries 2' }, 'warn', 'workers.max is 10, but the container carries 2'],
  ],
  'reload:started': [[{ kind: 'reload:started', generation: 2 }, 'info', 'reload: generation 2 starts']],
  'reload:done': [[{ kind: 'reload:done', generation: 2, replaced: 4 }, 'info', 'reload done: generation 2 serves, 4 workers replaced']],
  'reload:aborted': [[{ kind: 'reload:aborted', generation: 2, message: 'Reload aborted: why' }, 'error', 'Reload aborted: why']],
  'fleet:stopping': [
    [{ kind: 'fleet:stopping', reason: 'SIGTERM', timeoutMs: 30_000 }, 'info', 'the fleet stops (SIGTERM): workers have 30 s to drain'],
    [
      { kind: 'fleet:stopping', reason: 'asked again', timeoutMs: 0 },
      'info',
      'the fleet stops now (asked again): workers have no time left to drain',
    ],
  ],
  'fleet:stopped': [
    [{ kind: 'fleet:stopped', code: 0, message: null }, 'info', 'the fleet has stopped'],
    [{ kind: 'fleet:stopped', code: 1, message: 'The app failed 6 times' }, 'error', 'The app failed 6 times'],
    [{ kind: 'fleet:stopped', code: 1, message: null }, 'error', 'the fleet has stopped with exit code 1'],
  ],
  'supervisor:bug': [
    [
      { kind: 'supervisor:bug', message: 'worker 3 cannot promote while draining' },
      'error',
      'a fault in stationmaster itself, please report it: worker 3 cannot promote while draining',
    ],
  ],
}

const rows = Object.values(ROWS).flat() as readonly Row<Note['kind']>[]

test.each(rows.map(([note, level, message]) => ({ note, level, message })))('$message', ({ note, level, message }) => {
  const { kind, ...rest } = note
  expect(describeNote(note)).toEqual({ level, message, fields: { event: kind, ...rest } })
})

test('every note becomes one line, without a second time, until it ends', async () => {
  const output = collect()
  const logger = createLogger({ format: 'json', stream: output.stream, colors: false, level: 'debug', environment: {} })
  const listeners = new Set<(note: TimedNote) => void>()
  const stop = logNotes((listener) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }, logger)
  for (const [note] of rows) for (const listener of listeners) listener({ ...note, atMs: 5 })
  stop()
  expect(listeners.size).toBe(0)
  expect(await logger.flush(5000)).toBe(true)
  expect(output.records().map(({ level, msg, event, atMs }) => ({ level, msg, event, atMs }))).toEqual(
    rows.map(([note, level, msg]) => ({ level, msg, event: note.kind, atMs: undefined })),
  )
})
