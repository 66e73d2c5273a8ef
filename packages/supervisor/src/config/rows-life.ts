import { duration, oneOf, orFalse, size, text, trueOrFalse, wholeNumber, wordOr } from './kind.ts'
import type { LifeValues, Rows } from './values.ts'

/** More processes than this on one machine help nobody. */
export const MAX_WORKERS = 1024

const workers = wholeNumber(1, MAX_WORKERS)

export const lifeRows: Rows<LifeValues> = {
  'workers.min': { kind: workers, initial: 1, meaning: 'The fleet does not shrink below this by itself', flag: '--min' },
  'workers.max': {
    kind: workers,
    initial: 10,
    meaning: 'The fleet never grows beyond this, nor by itself beyond what the CPU and memory of the container carry',
    flag: '--max',
  },
  'workers.oversubscribe': {
    kind: trueOrFalse,
    initial: false,
    meaning: 'Lifts the limit of one worker per core, to try a large fleet on a laptop; memory still counts',
  },
  'workers.spares': {
    kind: wordOr('auto', wholeNumber(0, MAX_WORKERS)),
    initial: 'auto',
    meaning:
      'Booted workers kept ready to be promoted; `auto` is 1 where memory leaves room, else 0. With `routing.balance` "round-robin" there are none',
  },
  'workers.memoryLimit': {
    kind: size('16MB', '64TB'),
    shown: 'container limit × 0.9 / `workers.max`, at least 64 MB',
    meaning: 'A worker above it is replaced and drained; its heap is limited accordingly',
  },
  'workers.readyWhen': {
    kind: oneOf('listening', 'ready'),
    initial: 'listening',
    meaning: "When a worker takes traffic: once it listens, or once the app calls `ready()` or `process.send('ready')`",
  },
  'workers.bootTimeout': { kind: duration('100ms', '1h'), initial: '30s', meaning: 'A worker that is not ready by then is replaced' },
  'health.path': {
    kind: orFalse(text('a path such as "/health"', /^\/[^\s\0]*$/)),
    shown: 'none',
    meaning: 'A path that is asked of each worker itself; any answer below 400 is healthy',
  },
  'health.interval': { kind: duration('100ms', '1h'), initial: '30s', meaning: 'Time between two questions' },
  'health.timeout': { kind: duration('10ms', '1h'), shown: '5s, at most `health.interval`', meaning: 'An answer must come within this time' },
  'health.unhealthyThreshold': {
    kind: wholeNumber(1, 100),
    initial: 3,
    meaning: 'Failed answers in a row after which a worker is replaced, unless all of several workers fail: then it is something else',
  },
  'health.stuckAfter': {
    kind: duration('500ms', '1h'),
    initial: '10s',
    meaning: 'An event loop blocked that long: a diagnostic report is written, then the worker is replaced',
  },
  'restart.intensity': {
    kind: wholeNumber(0, 1000),
    initial: 5,
    meaning: 'Unexpected exits allowed within `restart.window`; beyond it the supervisor stops and exits 1 with the cause',
  },
  'restart.window': { kind: duration('1s', '1d'), initial: '60s', meaning: 'The time in which exits are counted' },
  'restart.backoff': { kind: duration('0ms', '10m'), initial: '100ms', meaning: 'Pause before a crashed worker is replaced; doubles each time' },
  'restart.backoffMax': { kind: duration('0ms', '1h'), initial: '15s', meaning: 'The pause grows no further than this' },
  'drain.timeout': {
    kind: duration('0ms', '1h'),
    initial: '30s',
    meaning: "Time for a worker to finish what it has; on Railway never beyond the platform's own deadline, elsewhere set it below that",
  },
}
