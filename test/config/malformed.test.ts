import { expect, test } from 'vitest'
import { complaints } from './surroundings.ts'

const circle: Record<string, unknown> = {}
circle['circle'] = circle
const throwing = Object.defineProperty({}, 'min', {
  enumerable: true,
  get: () => {
    throw new Error('not to be read')
  },
})
const { proxy: revoked, revoke } = Proxy.revocable({}, {})
revoke()

/** Where the fault is, the wrong value, and the whole sentence that is told. */
const TABLE: readonly (readonly [path: string, value: unknown, sentence: string])[] = [
  ['entry', 5, 'entry: 5 is not allowed; expected the path of the file that starts your server, such as "./dist/server.js".'],
  ['entry', '', 'entry: "" is not allowed; expected the path of the file'],
  ['entry', null, 'entry: null is not allowed; expected the path of the file'],
  ['entry', 'a\0b', 'entry: "a\\u0000b" is not allowed; expected the path of the file'],
  ['entry', ['a.js'], 'entry: ["a.js"] is not allowed; expected the path of the file'],
  ['entry', 'a'.repeat(5000), '… is not allowed; expected the path of the file'],
  ['entry', new URL('file:///srv/a.js'), 'entry: an instance of URL is not allowed; expected the path of the file'],
  ['args', '--verbose', 'args: "--verbose" is not allowed; expected a list of at most 1000 texts'],
  ['args', [1], 'args[0]: 1 is not allowed; expected a text without NUL.'],
  ['args', Array.from({ length: 1001 }, () => 'a'), 'is not allowed; expected a list of at most 1000 texts'],
  // oxlint-disable-next-line no-sparse-arrays
  ['args', ['a', , 'b'], 'args[1] is missing; expected a text without NUL.'],
  ['execArgv', { inspect: true }, 'execArgv: { inspect: true } is not allowed; expected a list'],
  ['env', ['A=1'], 'env: ****** is not allowed; expected an object of environment variables'],
  ['env', { 'A B': 'x' }, 'env["A B"] is not allowed; expected the name of an environment variable, such as LOG_LEVEL.'],
  ['env', { A: { secret: 'hunter2' } }, 'env.A: ****** is not allowed; expected a text or a number.'],
  ['env', { A: 'a\0' }, 'env.A: ****** is not allowed; expected a text without NUL.'],
  ['env', { STATIONMASTER_WORKER_ID: '1' }, 'env.STATIONMASTER_WORKER_ID is not allowed; expected another name'],
  ['env', JSON.parse('{"__proto__":"x"}'), 'env: ****** is not allowed; expected an object of environment variables'],
  ['workers', 4, 'workers: 4 is not allowed; expected an object with min, max, oversubscribe, spares, memoryLimit …'],
  ['workers', throwing, 'workers.min: a getter that throws is not allowed; expected a whole number from 1 to 1024.'],
  ['workers', revoked, 'workers: an object that cannot be read is not allowed; expected an object'],
  ['workers', circle, 'workers.circle is not an option'],
  ['workers', new Map([['min', 1]]), 'workers: an instance of Map is not allowed; expected an object'],
  ['workers', { mim: 1 }, 'workers.mim is not an option; did you mean workers.min?'],
  ['workers.min', 0, 'workers.min: 0 is not allowed; expected a whole number from 1 to 1024.'],
  ['workers.min', -1, 'workers.min: -1 is not allowed; expected a whole number'],
  ['workers.min', 1.5, 'workers.min: 1.5 is not allowed; expected a whole number'],
  ['workers.min', '4', 'workers.min: "4" is not allowed; expected a whole number'],
  ['workers.min', Number.NaN, 'workers.min: NaN is not allowed; expected a whole number'],
  ['workers.min', 5n, 'workers.min: 5n is not allowed; expected a whole number'],
  ['workers.min', Symbol('one'), 'workers.min: a symbol is not allowed; expected a whole number'],
  ['workers.min', 11, 'workers.min: 11 is not allowed; expected at most workers.max (10).'],
  ['workers.max', 1e9, 'workers.max: 1000000000 is not allowed; expected a whole number from 1 to 1024.'],
  ['workers.max', Number.POSITIVE_INFINITY, 'workers.max: Infinity is not allowed; expected a whole number'],
  ['workers.max', circle, 'workers.max: { circle: an object that contains itself } is not allowed'],
  ['workers.oversubscribe', 'yes', 'workers.oversubscribe: "yes" is not allowed; expected true or false.'],
  ['workers.spares', -1, 'workers.spares: -1 is not allowed; expected '],
  ['workers.spares', 'many', 'workers.spares: "many" is not allowed; expected "auto" or a whole number from 0 to 1024.'],
  ['workers.spares', 11, 'workers.spares: 11 is not allowed; expected at most workers.max (10).'],
  ['workers.memoryLimit', '512', 'workers.memoryLimit: "512" is not allowed; expected a size from 16MB to 64TB with its unit'],
  ['workers.memoryLimit', '1KB', 'workers.memoryLimit: "1KB" is not allowed; expected a size from 16MB'],
  ['workers.memoryLimit', 512, 'workers.memoryLimit: 512 is not allowed; expected a size from 16MB'],
  ['workers.readyWhen', 'always', 'workers.readyWhen: "always" is not allowed; expected "listening" or "ready".'],
  ['workers.readyWhen', () => true, 'workers.readyWhen: a function is not allowed; expected "listening" or "ready".'],
  ['workers.bootTimeout', '5', 'workers.bootTimeout: "5" is not allowed; expected a duration from 100ms to 1h with its unit, such as "30s"'],
  ['workers.bootTimeout', '5 s', 'workers.bootTimeout: "5 s" is not allowed; expected a duration'],
  ['workers.bootTimeout', '-5s', 'workers.bootTimeout: "-5s" is not allowed; expected a duration'],
  ['workers.bootTimeout', '2h', 'workers.bootTimeout: "2h" is not allowed; expected a duration from 100ms to 1h'],
  ['workers.bootTimeout', 30, 'workers.bootTimeout: 30 is not allowed; expected a duration from 100ms'],
  ['scaling.up', [], 'scaling.up: [] is not allowed; expected an object with cpu, memory, queue, p95, eventLoopDelay …'],
  ['scaling.up', { qeue: { above: 5 } }, 'scaling.up.qeue is not an option; did you mean scaling.up.queue?'],
  ['scaling.up', { constructor: { above: 5 } }, 'scaling.up.constructor is not an option'],
  ['scaling.up', { jobs: {} }, 'scaling.up.jobs.above is missing; expected a number.'],
  ['scaling.up', { jobs: { above: '5' } }, 'scaling.up.jobs.above: "5" is not allowed; expected a number.'],
  ['scaling.up.cpu', { above: 70 }, 'scaling.up.cpu.above: 70 is not allowed; expected a ratio from 0 to 1, such as 0.7 for 70 %.'],
  ['scaling.up.cpu', { below: 0.5 }, 'scaling.up.cpu.below is not an option; the options here are above, for.'],
  ['scaling.up.cpu', { above: 0.5, for: 'long' }, 'scaling.up.cpu.for: "long" is not allowed; expected a duration from 0ms to 1d'],
  ['scaling.up.cpu', true, 'scaling.up.cpu: true is not allowed; expected an object such as { above: …, for: "60s" }, or false.'],
  ['scaling.up.p95', { above: '2' }, 'scaling.up.p95.above: "2" is not allowed; expected a duration'],
  ['scaling.up.queue', { above: 5 }, 'scaling.down.queue.below: 10 is not allowed; expected less than scaling.up.queue.above (5)'],
  ['scaling.down.cpu', { below: 0.7 }, 'scaling.down.cpu.below: 0.7 is not allowed; expected less than scaling.up.cpu.above (0.7)'],
  ['scaling.down.p95', { below: '3s' }, 'scaling.down.p95.below: "3s" is not allowed; expected less than scaling.up.p95.above (2s)'],
  ['scaling.cooldown', '60s', 'scaling.cooldown: "60s" is not allowed; expected an object with up, down.'],
  ['scaling.step.up', 0, 'scaling.step.up: 0 is not allowed; expected a whole number from 1 to 1024.'],
  ['scaling.step.down', 'proportional', 'scaling.step.down: "proportional" is not allowed; expected a whole number from 1 to 1024.'],
  [
    'routing.trustedProxies',
    'private',
    'routing.trustedProxies: "private" is not allowed; expected a list of at most 100 of these: an address or network',
  ],
  [
    'routing.trustedProxies',
    ['proxy.internal'],
    'routing.trustedProxies[0]: "proxy.internal" is not allowed; expected an address or network such as',
  ],
  ['routing.trustedProxies', ['10.0.0.0/33'], 'routing.trustedProxies[0]: "10.0.0.0/33" is not allowed'],
  ['routing.trustedProxies', ['10.0.0.256'], 'routing.trustedProxies[0]: "10.0.0.256" is not allowed'],
  ['routing.trustedProxies', ['fc00::/129'], 'routing.trustedProxies[0]: "fc00::/129" is not allowed'],
  ['routing.trustedProxies', [':::1'], 'routing.trustedProxies[0]: ":::1" is not allowed'],
  ['scaling.up.queueTime', {}, 'routing.trustedProxies is empty; scaling by queueTime needs the proxies that tell it, such as ["private"].'],
  ['scaling.up.queueTime', { above: 'long' }, 'scaling.up.queueTime.above: "long" is not allowed; expected a duration'],
  ['scaling.policy', 'mine', 'scaling.policy: "mine" is not allowed; expected a function that answers a number of workers, or null'],
  ['scaling.mode', () => 'auto', 'scaling.mode: a function is not allowed; expected "auto" or "shadow".'],
  ['scaling.preset', 'fast', 'scaling.preset: "fast" is not allowed; expected "seed" or "responsive" or "frugal".'],
  ['scaling.rate.up', 4, 'scaling.rate.up: 4 is not allowed; expected an object such as { workers: 4, per: "60s" }, or false.'],
  ['scaling.rate.down', { workers: 0 }, 'scaling.rate.down.workers: 0 is not allowed; expected a whole number from 1 to 1024.'],
  ['scaling.rate.up', { workers: 4, per: '1ms' }, 'scaling.rate.up.per: "1ms" is not allowed; expected a duration from 1s to 1h'],
  ['scaling.tolerance', 0.5, 'scaling.tolerance: 0.5 is not allowed; expected a ratio from 0 to 0.2, such as 0.1 for 10 %.'],
  ['scaling', { tolerance: 0.2, up: { cpu: { above: 0.9 } } }, 'so little that scaling.up.cpu.above (0.9) stays below 1 with it'],
  ['scaling.flapPenalty', 1, 'scaling.flapPenalty: 1 is not allowed; expected true or false.'],
  ['scaling.surge', true, 'scaling.surge: true is not allowed; expected an object such as'],
  ['scaling.surge', { queue: 50 }, 'scaling.surge.queue: 50 is not allowed; expected at least scaling.up.queue.above (100).'],
  ['scaling.surge', { eventLoopUtilization: 0.5 }, 'scaling.surge.eventLoopUtilization: 0.5 is not allowed; expected at least'],
  ['scaling.surge', { fro: '1s' }, 'scaling.surge.fro is not an option; did you mean for?'],
  ['scaling.schedule', {}, 'scaling.schedule: {} is not allowed; expected a list of at most 100 entries'],
  ['scaling.schedule', [{ cron: 'noon', for: '1h', min: 2 }], 'scaling.schedule[0].cron: "noon" is not allowed; expected a cron expression'],
  [
    'scaling.schedule',
    [{ cron: '99 * * * *', for: '1h', min: 2 }],
    'scaling.schedule[0].cron: "99 * * * *" is not allowed; expected a cron expression',
  ],
  ['scaling.schedule', [{ cron: '0 0 30 2 *', for: '1h', min: 2 }], 'such as "0 8 * * 1-5"; this one never comes true.'],
  [
    'scaling.schedule',
    [{ cron: '0 8 * * *', timezone: 'Mars/Olympus', for: '1h', min: 2 }],
    'scaling.schedule[0].timezone: "Mars/Olympus" is not allowed',
  ],
  ['scaling.schedule', [{ cron: '0 8 * * *', min: 2 }], 'expected until (a cron expression) or for (a duration), so that the entry ends.'],
  ['scaling.schedule', [{ cron: '0 8 * * *', for: '1h' }], 'expected min, max or both, so that the entry does something.'],
  ['scaling.schedule', [{ cron: '0 8 * * *', for: '1h', until: '0 9 * * *', min: 2 }], 'expected either until or for, not both.'],
  ['scaling.schedule', [{ cron: '0 8 * * *', for: '1h', min: 3, max: 2 }], 'expected min (3) to be at most max (2).'],
  ['scaling.schedule', [{ cron: '0 8 * * *', for: '1h', min: 0 }], 'scaling.schedule[0].min: 0 is not allowed; expected a whole number from 1'],
  ['scaling.schedule', [{ for: '1h', min: 2 }], 'scaling.schedule[0].cron is missing; expected a cron expression'],
  ['scaling.mode', 'off', 'scaling.mode: "off" is not allowed; expected "auto" or "shadow".'],
  ['health', false, 'health: false is not allowed; expected an object with path, interval, timeout, unhealthyThreshold, stuckAfter.'],
  ['health.path', 'health', 'health.path: "health" is not allowed; expected a path such as "/health"'],
  ['health.path', '/a b', 'health.path: "/a b" is not allowed; expected a path such as "/health"'],
  ['health.timeout', '60s', 'health.timeout: "1m" is not allowed; expected at most health.interval (30s).'],
  ['health.unhealthyThreshold', 0, 'health.unhealthyThreshold: 0 is not allowed; expected a whole number from 1 to 100.'],
  ['health.stuckAfter', '1s', 'health.stuckAfter: "1s" is not allowed; expected at least 3 × sampling.interval (3s).'],
  ['restart.intensity', -1, 'restart.intensity: -1 is not allowed; expected a whole number from 0 to 1000.'],
  ['restart.backoff', '20s', 'restart.backoff: "20s" is not allowed; expected at most restart.backoffMax (15s).'],
  ['drain', { timeuot: '5s' }, 'drain.timeuot is not an option; did you mean drain.timeout?'],
  ['drain.timeout', new Date(0), 'drain.timeout: an instance of Date is not allowed; expected a duration'],
  ['routing.balance', 'sticky', 'routing.balance: "sticky" is not allowed; expected "shared" or "round-robin" or "reuse-port" or "least-busy".'],
  ['routing.sticky', true, 'routing.sticky: true is not allowed; expected "auto", "socket.io", false, { cookie: "name" }'],
  ['routing.sticky', { cookie: 'a b' }, 'routing.sticky.cookie: "a b" is not allowed; expected the name of a cookie.'],
  ['routing.sticky', { cookie: 'a', header: 'b' }, 'routing.sticky: { cookie: "a", header: "b" } is not allowed'],
  ['routing.sticky', { address: true, trustProxy: 'yes' }, 'routing.sticky.trustProxy: "yes" is not allowed; expected true or false.'],
  ['routing.engine', 'sticky', 'routing.engine: "sticky" is not allowed; expected "own" or "socket.io-sticky".'],
  ['database', 'postgres://u:hunter2@h/d', 'database: "postgres://******@h/d" is not allowed; expected an object with budget'],
  ['database.budget', 4, 'database.budget: 4 is not allowed; expected at least 5 (workers.min 1 × database.minPerWorker 2 + database.reserve 3).'],
  [
    'database',
    { budget: 6, replicas: 2 },
    'database.budget: 6 is not allowed; expected at least 7 (database.replicas 2 × workers.min 1 × database.minPerWorker 2 + database.reserve 3).',
  ],
  ['database.budget', Number.NaN, 'database.budget: NaN is not allowed; expected a whole number from 1'],
  ['database.url', 'mysql://u:hunter2@h/d', 'database.url: ****** is not allowed; expected a URL such as postgres://'],
  ['redis.key', 'two words', 'redis.key: "two words" is not allowed; expected a name of letters, digits and . _ : -, such as "shop"'],
  ['redis.url', 'localhost:6379', 'redis.url: ****** is not allowed; expected a URL such as redis://host:6379'],
  ['replica.secret', 'hunter2', 'replica.secret: ****** is not allowed; expected a text of at least 32 characters that nobody guesses'],
  ['replica.address', '10.0.0.7:9470', 'replica.address needs replica.listen, the port that it leads to.'],
  ['replica.listen', '[::]', 'replica.listen: "[::]" is not allowed; expected host:port'],
  ['control.socket', '', 'control.socket: "" is not allowed; expected the path of a socket'],
  ['control.socket', `/${'a'.repeat(107)}`, 'expected a path of at most 107 bytes (this one has 108), such as one in /tmp.'],
  ['admin.listen', 9090, 'admin.listen: 9090 is not allowed; expected host:port'],
  ['admin.listen', ':9090', 'admin.listen: ":9090" is not allowed; expected host:port'],
  ['admin.listen', 'localhost:70000', 'admin.listen: "localhost:70000" is not allowed; expected host:port with a port from 0 to 65535'],
  ['cost.perReplicaMonth', -1, 'cost.perReplicaMonth: -1 is not allowed; expected an amount of USD from 0'],
  ['log', 'text', 'log: "text" is not allowed; expected "pretty" or "json".'],
  ['sampling.interval', '1ms', 'sampling.interval: "1ms" is not allowed; expected a duration from 100ms to 10s'],
  ['script', 'a.js', 'script is not an option; did you mean entry?'],
  ['instances', 4, 'instances is not an option; did you mean workers.max?'],
  ['minPerWorker', 4, 'minPerWorker is not an option; did you mean database.minPerWorker?'],
  ['wrokers', { min: 1 }, 'wrokers is not an option; did you mean workers?'],
  ['an odd "name"', 1, '["an odd \\"name\\""] is not an option; remove it, or see the option table for its name.'],
]

// Not `test.each`: it would print the values, and some of them must not be touched.
for (const [path, value, sentence] of TABLE) {
  test(`${path}: ${sentence}`, () => {
    const lines = complaints(withOption(path, value))
    expect(lines.filter((line) => line.includes(sentence))).toHaveLength(1)
    for (const line of lines) {
      expect(line).toMatch(/[.?]$/)
      expect(line.length).toBeLessThan(400)
      expect(line).not.toContain('hunter2')
    }
  })
}

test.each([
  [null, 'the options: null is not allowed; expected an object with entry, args, execArgv, env, workers ….'],
  ['server.js', 'the options: "server.js" is not allowed; expected an object'],
  [[{ entry: 'a.js' }], 'the options: [{…}] is not allowed; expected an object'],
  [() => ({}), 'the options: a function is not allowed; expected an object'],
  [Promise.resolve({}), 'the options: an instance of Promise is not allowed; expected an object'],
  [JSON.parse('{"__proto__":{"entry":"a.js"}}'), 'the options: an object with a key __proto__ is not allowed; expected an object'],
  [undefined, 'entry is missing; expected the path of the file that starts your server'],
  [{}, 'entry is missing; expected the path of the file that starts your server'],
])('no options at all: %s', (raw, sentence) => {
  const lines = complaints(raw)
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain(sentence)
})

test('every fault is told at once, each in a line of its own, in the order of the option table', () => {
  const raw = { entry: 1, workers: { min: 0, max: '4' }, scaling: { mode: 'off', up: { cpu: 3 } }, log: 0, other: 1 }
  const paths = complaints(raw).map((line) => line.split(/[: ]/)[0])
  expect(paths).toEqual(['other', 'entry', 'workers.min', 'workers.max', 'scaling.up.cpu', 'scaling.mode', 'log'])
})

test('a file with more faults than anybody reads is cut off, and the number is told', () => {
  const names = Array.from({ length: 500 }, (_, index) => [`option-${index}`, 1])
  const lines = complaints(Object.fromEntries(names))
  expect(lines).toHaveLength(101)
  expect(lines.at(-1)).toBe('… and 401 more.')
})

test('huge and deep values are told in one short line', () => {
  let deep: unknown = 1
  for (let depth = 0; depth < 1000; depth++) deep = { deep }
  // oxlint-disable-next-line no-new-array
  const endless = new Array(2 ** 32 - 1)
  const [ofDeep, ofEndless] = complaints({ entry: 'a.js', args: endless, log: deep })
  expect(ofDeep).toContain('args: a list of 4294967295 items is not allowed; expected a list of at most 1000 texts')
  expect(ofEndless).toBe('log: { deep: {…} } is not allowed; expected "pretty" or "json".')
})

test('what @socket.io/sticky cannot be told is a contradiction', () => {
  const complain = (routing: object) => complaints({ entry: './server.js', routing: { engine: 'socket.io-sticky', ...routing } })
  expect(complain({ sticky: { cookie: 'sid' } })).toEqual([
    'routing.sticky: { cookie: "sid" } is not allowed; expected "auto" or "socket.io", which is all that @socket.io/sticky knows.',
  ])
  expect(complain({ sticky: false })).toEqual(['routing.sticky: false is not allowed; expected "auto" or "socket.io", or no routing.engine.'])
  expect(complain({ balance: 'round-robin' })).toEqual([
    'routing.balance: "round-robin" is not allowed; expected "shared": with @socket.io/sticky the primary accepts.',
  ])
})

/** `workers.min` as an object with the rest of valid options around it. */
function withOption(path: string, value: unknown): unknown {
  const nested = path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as object
  return path === 'entry' ? nested : { entry: './server.js', ...nested }
}
