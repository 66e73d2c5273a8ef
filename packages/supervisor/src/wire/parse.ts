import { MOST_CUSTOM_SIGNALS, isSignalName } from '../policy/custom-signals.ts'
import { BUCKETS } from '../policy/latency.ts'
import type { DatabaseUse, Report } from '../policy/sample.ts'
import { isOurs, unseal } from './envelope.ts'
import type { DatabaseState, ListenError, ListenRequest, PrimaryMessage, WorkerMessage } from './messages.ts'
import { peersOf, routesOf } from './routes.ts'
import type { Fields } from './shape.ts'
import { amountOf, booleanOf, fieldOf, fieldsOf, finiteOf, integerOf, Malformed, orNull, textOf } from './shape.ts'

// Longest texts that make sense: a DNS name, a path (Linux PATH_MAX), a sentence for people.
const MAX_HOST_LENGTH = 255
const MAX_PATH_LENGTH = 4096
const MAX_SENTENCE_LENGTH = 1000
/** Node refuses request heads above 16 KB unless it is told otherwise. */
const MAX_HEAD_LENGTH = 256 * 1024
const MAX_PORT = 65_535
const MAX_FD = 2 ** 31 - 1
const MAX_ID = Number.MAX_SAFE_INTEGER
/** The longest delay a Node timer keeps. */
const MAX_TIMER_MS = 2 ** 31 - 1

export type Parsed<Message> =
  | { readonly kind: 'message'; readonly message: Message }
  /** The application's or a library's: none of our business. */
  | { readonly kind: 'foreign' }
  /** Wears our envelope, but is not in our protocol: a bug, another version, or a forgery. Worth a note, never worth an exception. */
  | { readonly kind: 'malformed'; readonly why: string }

/** Reads a message that a worker sent. Never throws; the result is a fresh object with the known fields only. */
export function parseWorkerMessage(raw: unknown): Parsed<WorkerMessage> {
  return parse(raw, workerMessageOf)
}

/** Reads a message that the primary sent. Never throws; the result is a fresh object with the known fields only. */
export function parsePrimaryMessage(raw: unknown): Parsed<PrimaryMessage> {
  return parse(raw, primaryMessageOf)
}

function parse<Message>(raw: unknown, messageOf: (fields: Fields) => Message): Parsed<Message> {
  if (!isOurs(raw)) return { kind: 'foreign' }
  const sealed = unseal(raw)
  if (sealed === null) return { kind: 'malformed', why: 'another version of the protocol' }
  try {
    return { kind: 'message', message: messageOf(fieldsOf(sealed.body)) }
  } catch (error) {
    return { kind: 'malformed', why: error instanceof Malformed ? error.message : 'unreadable' }
  }
}

function workerMessageOf(fields: Fields): WorkerMessage {
  const kind = fieldOf(fields, 'kind')
  switch (kind) {
    case 'hello':
    case 'listening':
    case 'ready':
      return { kind }
    case 'listen':
      return listenRequestOf(fields)
    case 'listenFailed':
      return { kind, code: textOf(fields, 'code', MAX_HOST_LENGTH), ...placeOf(fields) }
    case 'report':
      return { kind, report: reportOf(fieldsOf(fieldOf(fields, 'report'))) }
    case 'connections':
      return { kind, connections: countOf(fields, 'connections'), takesMore: booleanOf(fields, 'takesMore') }
    case 'attached':
      if (fieldOf(fields, 'library') !== 'socket.io') throw new Malformed('library')
      return { kind, library: 'socket.io' }
    case 'probed':
      return { kind, healthy: booleanOf(fields, 'healthy'), detail: textOf(fields, 'detail', MAX_SENTENCE_LENGTH) }
    case 'handOver':
      return {
        kind,
        transferId: countOf(fields, 'transferId'),
        owner: countOf(fields, 'owner'),
        server: orNull(fields, 'server', () => countOf(fields, 'server')),
        head: textOf(fields, 'head', MAX_HEAD_LENGTH),
      }
    case 'adopted':
      return { kind, transferId: countOf(fields, 'transferId'), taken: booleanOf(fields, 'taken') }
    case 'leaseUse':
      return {
        kind,
        sequence: countOf(fields, 'sequence'),
        holds: countOf(fields, 'holds'),
        inUse: countOf(fields, 'inUse'),
        waiting: countOf(fields, 'waiting'),
        external: countOf(fields, 'external'),
      }
    case 'databaseState':
      return databaseStateOf(fields)
    case 'drained':
      return { kind, cutConnections: countOf(fields, 'cutConnections'), cutRequests: countOf(fields, 'cutRequests') }
    default:
      throw new Malformed('kind')
  }
}

function primaryMessageOf(fields: Fields): PrimaryMessage {
  const kind = fieldOf(fields, 'kind')
  switch (kind) {
    case 'promote':
    case 'count':
      return { kind }
    case 'gate':
      return { kind, open: booleanOf(fields, 'open') }
    case 'socket':
      return { kind, requestId: countOf(fields, 'requestId'), error: orNull(fields, 'error', () => listenErrorOf(fields)) }
    case 'drain':
      return { kind, timeoutMs: durationOf(fields, 'timeoutMs'), patient: booleanOf(fields, 'patient') }
    case 'shed':
      return { kind, connections: countOf(fields, 'connections'), lastingMs: orNull(fields, 'lastingMs', () => durationOf(fields, 'lastingMs')) }
    case 'adopt':
      return {
        kind,
        transferId: countOf(fields, 'transferId'),
        server: orNull(fields, 'server', () => countOf(fields, 'server')),
        head: textOf(fields, 'head', MAX_HEAD_LENGTH),
      }
    case 'routes':
      return {
        kind,
        routes: routesOf(fieldOf(fields, 'routes')),
        leaving: routesOf(fieldOf(fields, 'leaving')),
        peers: peersOf(fieldOf(fields, 'peers')),
      }
    case 'handedOver':
      return { kind, transferId: countOf(fields, 'transferId'), taken: booleanOf(fields, 'taken') }
    case 'lease':
      return {
        kind,
        sequence: countOf(fields, 'sequence'),
        granted: countOf(fields, 'granted'),
        untilMs: orNull(fields, 'untilMs', () => amountOf(fields, 'untilMs')),
      }
    case 'databaseState':
      return databaseStateOf(fields)
    case 'probe':
      return { kind, path: textOf(fields, 'path', MAX_PATH_LENGTH), timeoutMs: durationOf(fields, 'timeoutMs') }
    default:
      throw new Malformed('kind')
  }
}

function databaseStateOf(fields: Fields): DatabaseState {
  const errorOf = (): DatabaseState['error'] => {
    const error = fieldsOf(fieldOf(fields, 'error'))
    return { code: orNull(error, 'code', () => textOf(error, 'code', MAX_HOST_LENGTH)), message: textOf(error, 'message', MAX_SENTENCE_LENGTH) }
  }
  const server = textOf(fields, 'server', MAX_PATH_LENGTH)
  return { kind: 'databaseState', server, error: orNull(fields, 'error', errorOf), pauseMs: durationOf(fields, 'pauseMs') }
}

function listenRequestOf(fields: Fields): ListenRequest {
  return {
    kind: 'listen',
    requestId: countOf(fields, 'requestId'),
    ...placeOf(fields),
    fd: orNull(fields, 'fd', () => integerOf(fields, 'fd', 0, MAX_FD)),
    ipv6Only: booleanOf(fields, 'ipv6Only'),
    turn: countOf(fields, 'turn'),
    isDealt: booleanOf(fields, 'isDealt'),
  }
}

function placeOf(fields: Fields): Pick<ListenRequest, 'port' | 'host' | 'path'> {
  return {
    port: orNull(fields, 'port', () => integerOf(fields, 'port', 0, MAX_PORT)),
    host: orNull(fields, 'host', () => textOf(fields, 'host', MAX_HOST_LENGTH)),
    path: orNull(fields, 'path', () => textOf(fields, 'path', MAX_PATH_LENGTH)),
  }
}

function listenErrorOf(fields: Fields): ListenError {
  const error = fieldsOf(fieldOf(fields, 'error'))
  return {
    code: textOf(error, 'code', MAX_HOST_LENGTH),
    errno: integerOf(error, 'errno', -MAX_ID, MAX_ID),
    message: textOf(error, 'message', MAX_SENTENCE_LENGTH),
  }
}

function reportOf(fields: Fields): Report {
  return {
    intervalMs: amountOf(fields, 'intervalMs'),
    eventLoopUtilization: Math.min(1, amountOf(fields, 'eventLoopUtilization')),
    eventLoopDelayP99Ms: amountOf(fields, 'eventLoopDelayP99Ms'),
    queue: countOf(fields, 'queue'),
    requests: countOf(fields, 'requests'),
    connections: countOf(fields, 'connections'),
    sockets: countOf(fields, 'sockets'),
    latencies: latenciesOf(fields, 'latencies'),
    queueTimes: latenciesOf(fields, 'queueTimes'),
    database: orNull(fields, 'database', () => databaseOf(fieldsOf(fieldOf(fields, 'database')))),
    signals: signalsOf(fieldsOf(fieldOf(fields, 'signals'))),
  }
}

function signalsOf(fields: Fields): Record<string, number> {
  const names = Object.keys(fields)
  if (names.length > MOST_CUSTOM_SIGNALS || !names.every(isSignalName)) throw new Malformed('signals')
  return Object.fromEntries(names.map((name) => [name, finiteOf(fields, name)]))
}

function databaseOf(fields: Fields): DatabaseUse {
  return {
    granted: countOf(fields, 'granted'),
    acknowledged: countOf(fields, 'acknowledged'),
    inUse: countOf(fields, 'inUse'),
    waiting: countOf(fields, 'waiting'),
  }
}

/** Bucket and count in turns, ascending, so a forged histogram cannot make the primary work more than an honest one. */
function latenciesOf(fields: Fields, name: string): number[] {
  const value = fieldOf(fields, name)
  if (!Array.isArray(value) || value.length % 2 !== 0 || value.length > 2 * BUCKETS) throw new Malformed(name)
  let previousBucket = -1
  for (let i = 0; i < value.length; i += 2) {
    const bucket: unknown = value[i]
    const count: unknown = value[i + 1]
    if (!isCount(bucket) || bucket <= previousBucket || bucket >= BUCKETS || !isCount(count)) throw new Malformed(name)
    previousBucket = bucket
  }
  return value.slice() as number[]
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function countOf(fields: Fields, name: string): number {
  return integerOf(fields, name, 0, MAX_ID)
}

function durationOf(fields: Fields, name: string): number {
  return Math.min(MAX_TIMER_MS, amountOf(fields, name))
}
