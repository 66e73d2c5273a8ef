import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BUCKETS } from '../../packages/supervisor/src/policy/latency.ts'
import type { Report } from '../../packages/supervisor/src/policy/sample.ts'
import { seal } from '../../packages/supervisor/src/wire/envelope.ts'
import type { ListenRequest, PrimaryMessage, WorkerMessage } from '../../packages/supervisor/src/wire/messages.ts'
import { parsePrimaryMessage, parseWorkerMessage } from '../../packages/supervisor/src/wire/parse.ts'

const report: Report = {
  intervalMs: 1000.5,
  eventLoopUtilization: 0.5,
  eventLoopDelayP99Ms: 12.25,
  queue: 3,
  requests: 900,
  connections: 12,
  sockets: 7,
  latencies: [3, 1, 70, 2],
  queueTimes: [9, 4],
  database: null,
  signals: {},
}
const listen: ListenRequest = { kind: 'listen', requestId: 1, port: 3000, host: null, path: null, fd: null, ipv6Only: false, turn: 0, isDealt: false }
const error = { code: 'EADDRINUSE', errno: -98, message: 'address already in use' }

const workerMessages: readonly WorkerMessage[] = [
  { kind: 'hello' },
  listen,
  { ...listen, port: null, path: '/run/app.sock' },
  { ...listen, port: null, fd: 3 },
  { ...listen, host: '::', ipv6Only: true, turn: 2, isDealt: true },
  { kind: 'listenFailed', code: 'EADDRINUSE', port: 3000, host: null, path: null },
  { kind: 'listening' },
  { kind: 'ready' },
  { kind: 'report', report },
  { kind: 'report', report: { ...report, database: { granted: 20, acknowledged: 18, inUse: 3, waiting: 4 } } },
  { kind: 'connections', connections: 12, takesMore: true },
  { kind: 'attached', library: 'socket.io' },
  { kind: 'probed', healthy: true, detail: '/health answered 200' },
  { kind: 'handOver', transferId: 4, owner: 7, server: 0, head: 'GET / HTTP/1.1\r\n\r\n' },
  { kind: 'handOver', transferId: 5, owner: 7, server: null, head: '\x16\x03\x01' },
  { kind: 'adopted', transferId: 4, taken: true },
  { kind: 'leaseUse', sequence: 3, holds: 8, inUse: 6, waiting: 40, external: 2 },
  { kind: 'databaseState', server: 'db:5432', error: { code: '57P03', message: 'the database system is starting up' }, pauseMs: 50 },
  { kind: 'databaseState', server: 'db:5432', error: null, pauseMs: 0 },
  { kind: 'drained', cutConnections: 0, cutRequests: 2 },
]

const primaryMessages: readonly PrimaryMessage[] = [
  { kind: 'socket', requestId: 1, error: null },
  { kind: 'socket', requestId: 1, error },
  { kind: 'promote' },
  { kind: 'drain', timeoutMs: 30_000, patient: false },
  { kind: 'shed', connections: 2, lastingMs: null },
  { kind: 'shed', connections: 2, lastingMs: 600_000 },
  { kind: 'gate', open: false },
  { kind: 'count' },
  { kind: 'lease', untilMs: null, sequence: 3, granted: 8 },
  { kind: 'lease', untilMs: 86_400_000, sequence: 4, granted: 8 },
  { kind: 'databaseState', server: 'db:5432', error: { code: null, message: 'Connection terminated unexpectedly' }, pauseMs: 1000 },
  { kind: 'adopt', transferId: 9, server: 1, head: 'GET / HTTP/1.1\r\n\r\n' },
  { kind: 'adopt', transferId: 10, server: null, head: '\x16\x03\x01' },
  { kind: 'handedOver', transferId: 4, taken: false },
  { kind: 'routes', routes: [], leaving: [], peers: [] },
  { kind: 'routes', routes: [{ workerId: 3, slot: 0 }], leaving: [{ workerId: 2, slot: 0 }], peers: [{ tag: 'a1b2', host: 'fd12::7', port: 9470 }] },
  { kind: 'probe', path: '/health', timeoutMs: 5000 },
]

const sides = [
  { who: 'a worker', parse: parseWorkerMessage as (raw: unknown) => unknown, messages: workerMessages },
  { who: 'the primary', parse: parsePrimaryMessage as (raw: unknown) => unknown, messages: primaryMessages },
]

/** Every message with one field taken away, one level deep. */
function* crippled(message: object): Generator<object> {
  for (const name of Object.keys(message)) {
    const { [name as keyof object]: value, ...rest } = message
    yield rest
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const inner of crippled(value)) yield { ...message, [name]: inner }
    }
  }
}

const reading = (signals: unknown): unknown => parseWorkerMessage(seal({ kind: 'report', report: { ...report, signals } }))

it('takes signals of the app with names and values that can be trusted, and so many', () => {
  const signals = { jobs: 4, rooms_2: -0.5 }
  expect(reading(signals)).toEqual({ kind: 'message', message: { kind: 'report', report: { ...report, signals } } })
  const many = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, index) => [`s${index}`, index]))
  expect(reading(many(32))).toMatchObject({ kind: 'message' })
  expect(reading(many(33))).toEqual({ kind: 'malformed', why: 'signals' })
})

it('refuses any other', () => {
  const wrong: readonly unknown[] = [
    [],
    null,
    7,
    { 'my-jobs': 1 },
    { constructor: 1 },
    { ['x'.repeat(65)]: 1 },
    { jobs: '4' },
    { jobs: null },
    { jobs: Number.NaN },
  ]
  for (const signals of wrong) expect(reading(signals)).toMatchObject({ kind: 'malformed' })
})

describe.for(sides)('a message of $who', ({ parse, messages }) => {
  it('is read as it was sent, whether as JSON or as a structured clone', () => {
    for (const message of messages) {
      expect(parse(JSON.parse(JSON.stringify(seal(message))))).toEqual({ kind: 'message', message })
      expect(parse(structuredClone(seal(message)))).toEqual({ kind: 'message', message })
    }
  })

  it('loses the fields that nobody knows', () => {
    for (const message of messages) {
      const raw = { ...seal({ ...message, extra: 1 }), extra: 2 }
      expect(parse(raw)).toEqual({ kind: 'message', message })
    }
  })

  it('pollutes no prototype', () => {
    for (const message of messages) {
      const body = JSON.parse(JSON.stringify(message).replace('{', '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},'))
      const parsed = parse(seal(body)) as { message: object }
      expect(parsed).toEqual({ kind: 'message', message })
      expect(Object.getPrototypeOf(parsed.message)).toBe(Object.prototype)
      expect({}).not.toHaveProperty('polluted')
    }
  })

  it('takes no field from a prototype', () => {
    for (const message of messages) {
      expect(parse(seal(Object.create(message)))).toEqual({ kind: 'malformed', why: 'kind' })
    }
  })

  it('is malformed without any one of its fields', () => {
    for (const message of messages) {
      for (const body of crippled(message)) expect(parse(seal(body))).toMatchObject({ kind: 'malformed' })
    }
  })

  it('is malformed in another version, and foreign in another envelope', () => {
    const [body] = messages
    expect(parse({ ns: 'stationmaster', v: 2, body })).toEqual({ kind: 'malformed', why: 'another version of the protocol' })
    expect(parse({ ns: 'stationmaster' })).toEqual({ kind: 'malformed', why: 'another version of the protocol' })
    expect(parse({ ns: 'other', v: 1, body })).toEqual({ kind: 'foreign' })
    expect(parse(body)).toEqual({ kind: 'foreign' })
  })

  it('may be anything at all: nothing throws', () => {
    fc.assert(fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withSparseArray: true }), (raw) => isVerdict(parse(raw))))
    fc.assert(fc.property(fc.anything(), (body) => isVerdict(parse(seal(body)))))
  })

  it('may have any value in any field: nothing throws, and what is taken is read the same again', () => {
    const field = fc.constantFrom(...new Set(messages.flatMap((message) => Object.keys(message))))
    fc.assert(
      fc.property(fc.constantFrom(...messages), field, fc.anything(), (message, name, value) => {
        const parsed = parse(seal({ ...message, [name]: value })) as { kind: string; message: object }
        if (parsed.kind === 'message') expect(parse(seal(parsed.message))).toEqual(parsed)
        else expect(parsed.kind).toBe('malformed')
      }),
      { numRuns: 1000 },
    )
  })

  it('may fight back: getters and proxies that throw are malformed or foreign', () => {
    const trap = new Proxy({}, { get: explode, getOwnPropertyDescriptor: explode, ownKeys: explode, has: explode, getPrototypeOf: explode })
    expect(parse(trap)).toEqual({ kind: 'foreign' })
    expect(parse(seal(trap))).toEqual({ kind: 'malformed', why: 'unreadable' })
    expect(
      parse({
        ns: 'stationmaster',
        v: 1,
        get body(): unknown {
          return explode()
        },
      }),
    ).toMatchObject({ kind: 'malformed' })
  })
})

function explode(): never {
  throw new Error('trapped')
}

function isVerdict(parsed: unknown): boolean {
  return ['message', 'foreign', 'malformed'].includes((parsed as { kind: string }).kind)
}

const badCounts: readonly unknown[] = [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '1', 1n, null, undefined, [], {}, true]
const badAmounts: readonly unknown[] = [-0.001, Number.NaN, Number.POSITIVE_INFINITY, '1', 1n, null, undefined, [], {}, true]
const badTexts: readonly unknown[] = [1, null, undefined, [], {}, Symbol('text'), 'x'.repeat(5000)]

interface Bad {
  readonly message: object
  readonly field: string
  readonly values: readonly unknown[]
}

describe('a worker cannot say', () => {
  const inReport = (field: string, values: readonly unknown[]): Bad => ({ message: { kind: 'report', report }, field: `report.${field}`, values })
  const table: readonly Bad[] = [
    { message: {}, field: 'kind', values: ['Hello', 'drain', 'constructor', '__proto__', 1, null, undefined, ['hello']] },
    { message: listen, field: 'requestId', values: badCounts },
    { message: listen, field: 'turn', values: badCounts },
    { message: listen, field: 'port', values: badCounts.filter((value) => value !== null).concat(65_536) },
    { message: listen, field: 'fd', values: badCounts.filter((value) => value !== null).concat(2 ** 31) },
    { message: listen, field: 'host', values: badTexts.filter((value) => value !== null).concat('x'.repeat(256)) },
    { message: listen, field: 'path', values: badTexts.filter((value) => value !== null) },
    { message: listen, field: 'ipv6Only', values: [0, 1, 'false', null, undefined, {}] },
    { message: listen, field: 'isDealt', values: [0, 'true', null, undefined] },
    ...['intervalMs', 'eventLoopUtilization', 'eventLoopDelayP99Ms'].map((field) => inReport(field, badAmounts)),
    ...['queue', 'requests', 'connections', 'sockets'].map((field) => inReport(field, badCounts)),
    inReport('latencies', [
      null,
      {},
      'text',
      [1],
      [0, -1],
      [0, 0.5],
      [0, Number.NaN],
      [BUCKETS, 1],
      [-1, 1],
      [5, 1, 5, 1],
      [5, 1, 4, 1],
      ['5', 1],
      Array.from({ length: 4 }),
      Array.from({ length: 2 * BUCKETS + 2 }, (_, i) => i),
    ]),
    inReport('database', [undefined, 1, [], {}, { granted: 1, acknowledged: 1 }, { granted: 1, acknowledged: 1, inUse: -1 }]),
    { message: { kind: 'report' }, field: 'report', values: [null, undefined, 1, 'report', [], [report]] },
    { message: { kind: 'attached' }, field: 'library', values: ['ws', null, undefined, ['socket.io']] },
    { message: { kind: 'probed', healthy: true, detail: '' }, field: 'healthy', values: [1, 'true', null, undefined] },
    { message: { kind: 'probed', healthy: true, detail: '' }, field: 'detail', values: badTexts },
    { message: { kind: 'handOver', transferId: 1, owner: 1, server: 0, head: '' }, field: 'owner', values: badCounts },
    { message: { kind: 'handOver', transferId: 1, owner: 1, server: 0, head: '' }, field: 'head', values: [1, null, 'x'.repeat(300_000)] },
    { message: { kind: 'adopted', transferId: 1, taken: true }, field: 'taken', values: [1, 'true', null, undefined] },
    { message: { kind: 'drained', cutConnections: 0, cutRequests: 0 }, field: 'cutConnections', values: badCounts },
    { message: { kind: 'drained', cutConnections: 0, cutRequests: 0 }, field: 'cutRequests', values: badCounts },
  ]
  it.for(table)('$field with a value that makes no sense', ({ message, field, values }) => {
    for (const value of values) {
      const parsed = parseWorkerMessage(seal(withField(message, field, value)))
      expect(parsed, String(value)).toMatchObject({ kind: 'malformed' })
    }
  })
})

describe('the primary cannot say', () => {
  const failed = { kind: 'socket', requestId: 1, error }
  const table: readonly Bad[] = [
    { message: failed, field: 'requestId', values: badCounts },
    { message: failed, field: 'error', values: [undefined, 1, 'EMFILE', [], {}] },
    { message: failed, field: 'error.code', values: badTexts },
    { message: failed, field: 'error.errno', values: ['-98', null, undefined, 0.5, Number.NaN] },
    { message: failed, field: 'error.message', values: badTexts },
    { message: { kind: 'drain', patient: true }, field: 'timeoutMs', values: badAmounts },
    { message: { kind: 'drain', timeoutMs: 1 }, field: 'patient', values: [undefined, null, 0, 'true'] },
    { message: { kind: 'gate' }, field: 'open', values: [undefined, null, 1, 'false'] },
    { message: { kind: 'shed', lastingMs: null }, field: 'connections', values: badCounts },
    { message: { kind: 'shed', connections: 1 }, field: 'lastingMs', values: [undefined, -1, '1', Number.NaN] },
    { message: { kind: 'probe', path: '/', timeoutMs: 1 }, field: 'path', values: badTexts },
    { message: { kind: 'probe', path: '/', timeoutMs: 1 }, field: 'timeoutMs', values: badAmounts },
  ]
  it.for(table)('$field with a value that makes no sense', ({ message, field, values }) => {
    for (const value of values) {
      const parsed = parsePrimaryMessage(seal(withField(message, field, value)))
      expect(parsed, String(value)).toMatchObject({ kind: 'malformed' })
    }
  })

  it('a duration longer than a timer can be', () => {
    const parsed = parsePrimaryMessage(seal({ kind: 'drain', timeoutMs: 1e300, patient: false }))
    expect(parsed).toEqual({ kind: 'message', message: { kind: 'drain', timeoutMs: 2 ** 31 - 1, patient: false } })
  })
})

describe('a share', () => {
  it('above 1 is 1: clocks are not that exact', () => {
    const parsed = parseWorkerMessage(seal({ kind: 'report', report: { ...report, eventLoopUtilization: 1.0001 } }))
    expect(parsed).toMatchObject({ message: { report: { eventLoopUtilization: 1 } } })
  })
})

function withField(message: object, field: string, value: unknown): object {
  const [name, inner] = field.split('.') as [string, string | undefined]
  if (inner === undefined) return { ...message, [name]: value }
  return { ...message, [name]: { ...(message as Record<string, object>)[name], [inner]: value } }
}
