import { expect, test } from 'vitest'
import { type Options, defineConfig } from '../../packages/supervisor/src/config/options.ts'
import { resolveOptions } from '../../packages/supervisor/src/config/resolve.ts'
import { presetNames, presets } from '../../packages/supervisor/src/config/presets.ts'
import { paths, table } from '../../packages/supervisor/src/config/table.ts'
import { withoutEffect } from '../../packages/supervisor/src/config/without-effect.ts'
import type { Path } from '../../packages/supervisor/src/config/values.ts'
import type { PolicyFunction } from '../../packages/supervisor/src/policy/advice.ts'
import { complaints, here, settled } from './surroundings.ts'

test('with nothing but an entry, every default is the documented one', () => {
  expect(settled({})).toEqual({
    app: { entry: '/srv/app/server.js', args: [], execArgv: [], env: {} },
    fleet: {
      workers: {
        min: 1,
        max: 10,
        oversubscribe: false,
        spares: 'auto',
        memoryLimitBytes: 720_000_000,
        readyWhen: 'listening',
        bootTimeoutMs: 30_000,
      },
      health: { path: null, intervalMs: 30_000, timeoutMs: 5000, unhealthyThreshold: 3, stuckAfterMs: 10_000 },
      restart: { intensity: 5, windowMs: 60_000, backoffMs: 100, backoffMaxMs: 15_000 },
      drain: { timeoutMs: 30_000, stopDeadlineMs: null },
      capacity: here.capacity,
      database: null,
      rebalance: null,
      prices: { perReplicaMonth: 20, fixedMonth: 20, budgetMonth: null },
      tickMs: 1000,
      scaling: {
        mode: 'auto',
        up: {
          cpu: { threshold: 0.7, forMs: 60_000 },
          memory: { threshold: 0.8, forMs: 60_000 },
          queue: { threshold: 100, forMs: 30_000 },
          p95: { threshold: 2000, forMs: 120_000 },
          eventLoopDelay: { threshold: 100, forMs: 30_000 },
          eventLoopUtilization: { threshold: 0.8, forMs: 30_000 },
        },
        down: {
          cpu: { threshold: 0.3, forMs: 300_000 },
          memory: { threshold: 0.4, forMs: 300_000 },
          queue: { threshold: 10, forMs: 300_000 },
          p95: { threshold: 500, forMs: 300_000 },
          eventLoopDelay: { threshold: 20, forMs: 300_000 },
          eventLoopUtilization: { threshold: 0.3, forMs: 300_000 },
        },
        cooldownUpMs: 60_000,
        cooldownDownMs: 300_000,
        stepUp: 'proportional',
        stepDown: 1,
        rateUp: null,
        rateDown: null,
        flapPenalty: true,
        predict: false,
        warmUpMs: 0,
        surge: { eventLoopUtilization: 0.95, queue: 300, forMs: 2000 },
        schedule: [],
        heldWhileIdle: ['queue', 'p95'],
      },
    },
    policy: null,
    routing: { balance: 'shared', engine: 'own', sticky: 'auto', trustedProxies: [] },
    database: { budget: null, reserve: 3, minPerWorker: 2, replicas: 1, terminateOrphans: false, url: null },
    redis: null,
    replica: null,
    journal: { file: null, maxBytes: 64_000_000 },
    control: { socket: '/srv/app/.stationmaster/control.sock' },
    admin: null,
    cost: { perReplicaMonth: 20, fixedMonth: 20, budgetMonth: null },
    log: 'pretty',
  })
})

test('every option at once is understood', () => {
  const policy: PolicyFunction = ({ workers }) => workers + 1
  const options: Options = defineConfig({
    entry: '../app/server.ts',
    args: ['--verbose'],
    execArgv: ['--enable-source-maps'],
    env: { LOG_LEVEL: 'debug', PORT: 3000, TRACE: true },
    workers: { min: 2, max: 4, oversubscribe: true, spares: 1, memoryLimit: '512MB', readyWhen: 'ready', bootTimeout: 5000 },
    scaling: {
      up: { cpu: { above: 0.5, for: '5s' }, memory: false, jobs: { above: 50 } },
      down: { cpu: { below: 0.2 }, memory: false, jobs: { below: 5, for: '1m' } },
      cooldown: { up: '1s', down: 0 },
      step: { up: 2, down: 2 },
      preset: 'responsive',
      rate: { up: { workers: 4, per: '30s' }, down: { workers: 1 } },
      tolerance: 0.1,
      flapPenalty: false,
      predict: false,
      warmUp: '5s',
      surge: { queue: false, for: '500ms' },
      schedule: [{ cron: '0 8 * * 1-5', timezone: 'Europe/Berlin', min: 3, until: '0 18 * * 1-5' }],
      policy,
      mode: 'shadow',
    },
    health: { path: '/health', interval: '2s', unhealthyThreshold: 2, stuckAfter: '4s' },
    restart: { intensity: 0, window: '1m', backoff: '0ms', backoffMax: '1s' },
    drain: { timeout: '1.5s' },
    routing: {
      engine: 'own',
      balance: 'round-robin',
      sticky: { address: true },
      rebalance: true,
      rebalanceInterval: '30s',
      trustedProxies: ['10.1.2.3', 'loopback', 'fd00::/8'],
    },
    database: { budget: 100, reserve: 0, minPerWorker: 1, replicas: 2, terminateOrphans: true, url: 'postgresql://db/app' },
    redis: { url: 'rediss://cache:6380', key: 'shop' },
    replica: { listen: '[::]:9470', address: 'app.internal:9470', secret: 's'.repeat(32) },
    control: { socket: '/run/app.sock' },
    journal: { file: 'logs/journal.jsonl', maxSize: '8MB' },
    admin: { listen: '[::1]:9090' },
    cost: { perReplicaMonth: 5, fixedMonth: 0, budgetMonth: 50 },
    log: 'json',
    sampling: { interval: '250ms' },
  })
  const chosen = (path: string) => path.split('.').reduce<unknown>((group, name) => (group as Record<string, unknown> | undefined)?.[name], options)
  const left = paths.filter((path) => chosen(path) === undefined && !/scaling\.(up|down)\./.test(path))
  expect(left).toEqual(['health.timeout'])
  const settings = resolveOptions(options, here)
  expect(settings.app).toEqual({
    entry: '/srv/app/server.ts',
    args: ['--verbose'],
    execArgv: ['--enable-source-maps'],
    env: { LOG_LEVEL: 'debug', PORT: '3000', TRACE: 'true' },
  })
  expect(settings.fleet.workers).toMatchObject({ min: 2, max: 4, spares: 1, memoryLimitBytes: 512e6, readyWhen: 'ready', bootTimeoutMs: 5000 })
  expect(settings.fleet.rebalance).toEqual({ intervalMs: 30_000 })
  const { scaling } = settings.fleet
  expect(scaling.up).toMatchObject({ cpu: { threshold: 0.55, forMs: 5000 }, jobs: { threshold: 55, forMs: 60_000 } })
  expect(scaling.down).toMatchObject({ cpu: { threshold: 0.18, forMs: 300_000 }, jobs: { threshold: 4.5, forMs: 60_000 } })
  expect([Object.keys(scaling.up), Object.keys(scaling.down)].map((names) => names.includes('memory'))).toEqual([false, false])
  expect(scaling).toMatchObject({ cooldownUpMs: 1000, cooldownDownMs: 0, stepUp: 2, stepDown: 2, mode: 'shadow' })
  expect(scaling).toMatchObject({ rateUp: { workers: 4, perMs: 30_000 }, rateDown: { workers: 1, perMs: 60_000 }, flapPenalty: false })
  expect(scaling.surge).toEqual({ eventLoopUtilization: 0.9, queue: Number.MAX_SAFE_INTEGER, forMs: 500 })
  expect(scaling.schedule).toEqual([{ cron: '0 8 * * 1-5', timezone: 'Europe/Berlin', min: 3, max: null, until: '0 18 * * 1-5', forMs: null }])
  expect(settings.fleet.health).toEqual({ path: '/health', intervalMs: 2000, timeoutMs: 2000, unhealthyThreshold: 2, stuckAfterMs: 4000 })
  expect(settings.fleet.drain.timeoutMs).toBe(1500)
  expect(settings.fleet.tickMs).toBe(250)
  const trustedProxies = ['10.1.2.3/32', '127.0.0.0/8', '::1/128', 'fd00::/8']
  expect(settings.routing).toEqual({ balance: 'round-robin', engine: 'own', sticky: { address: true, trustProxy: false }, trustedProxies })
  expect(settings.policy).toBe(policy)
  expect(settings.admin).toEqual({ host: '::1', port: 9090 })
  expect(settings.control.socket).toBe('/run/app.sock')
  expect(settings.journal).toEqual({ file: '/srv/app/logs/journal.jsonl', maxBytes: 8_000_000 })
  expect(settings.log).toBe('json')
})

test.each([
  [8e9, 4, 1_800_000_000],
  [256e6, 10, 64_000_000],
])('of %d bytes for %d workers, each may have %d', (memoryBytes, max, limitBytes) => {
  const capacity = { ...here.capacity, memoryBytes }
  expect(settled({ workers: { max } }, { capacity }).fleet.workers.memoryLimitBytes).toBe(limitBytes)
})

test('a preset moves the defaults, and what is given goes before it, also within one trigger', () => {
  const { up, down, cooldownUpMs } = settled({ scaling: { preset: 'responsive', up: { cpu: { above: 0.5 }, queue: false } } }).fleet.scaling
  expect(up['cpu']).toEqual({ threshold: 0.5, forMs: 15_000 })
  expect(up).not.toHaveProperty('queue')
  expect(up['p95']).toEqual({ threshold: 1000, forMs: 30_000 })
  expect(down['cpu']).toEqual({ threshold: 0.3, forMs: 300_000 })
  expect(cooldownUpMs).toBe(15_000)
  expect(settled({ scaling: { preset: 'responsive', up: { queue: { above: 20 } } } }).fleet.scaling.surge?.queue).toBe(60)
  expect(settled({ scaling: { preset: 'seed' } })).toEqual(settled({}))
  expect(settled({ scaling: { preset: 'frugal' } }).fleet.scaling.down['cpu']).toEqual({ threshold: 0.45, forMs: 120_000 })
})

test.for(presetNames)('every value of the preset %s is one that could be given', (preset) => {
  expect(() => settled({ scaling: { preset } })).not.toThrow()
  for (const [path, value] of Object.entries(presets[preset]))
    expect(table[path as Path].kind.schema.safeParse(value)).toMatchObject({ success: true })
})

test('the band of tolerance moves thresholds outwards, those below zero too', () => {
  const scaling = { tolerance: 0.1, up: { credit: { above: -10 } }, down: { credit: { below: -20 } } }
  const { up, down } = settled({ scaling }).fleet.scaling
  expect([up['credit']?.threshold, down['credit']?.threshold]).toEqual([-9, -22])
  expect(up['cpu']?.threshold).toBeCloseTo(0.77)
  expect(down['cpu']?.threshold).toBeCloseTo(0.27)
})

test('the time before requests get here is a signal only where it is asked for', () => {
  const routing = { trustedProxies: ['private'] }
  expect(settled({ routing }).fleet.scaling.up).not.toHaveProperty('queueTime')
  const { up, down } = settled({ routing, scaling: { up: { queueTime: {} }, down: { queueTime: { below: '50ms' } } } }).fleet.scaling
  expect([up['queueTime'], down['queueTime']]).toEqual([
    { threshold: 500, forMs: 30_000 },
    { threshold: 50, forMs: 300_000 },
  ])
})

test('the surge lane follows the queue threshold, and ends with it', () => {
  expect(settled({ scaling: { up: { queue: { above: 20 } } } }).fleet.scaling.surge?.queue).toBe(60)
  expect(settled({ scaling: { up: { queue: false } } }).fleet.scaling.surge?.queue).toBe(Number.MAX_SAFE_INTEGER)
  expect(settled({ scaling: { surge: false } }).fleet.scaling.surge).toBeNull()
})

test('URLs come from the environment unless the options say otherwise', () => {
  const environment = { DATABASE_URL: 'postgres://db/app', REDIS_URL: 'redis://cache' }
  const urls = (options: object) => [settled(options, { environment }).database.url, settled(options, { environment }).redis?.url ?? null]
  expect(urls({})).toEqual(['postgres://db/app', 'redis://cache'])
  expect(urls({ database: { url: 'postgres://other/app' }, redis: { url: false } })).toEqual(['postgres://other/app', null])
  expect(settled({}, { environment: { DATABASE_URL: '', REDIS_URL: '' } })).toMatchObject({ database: { url: null }, redis: null })
})

test("another make of database in DATABASE_URL is the app's own affair; a REDIS_URL that cannot be used is told", () => {
  expect(settled({}, { environment: { DATABASE_URL: 'mysql://db/app' } }).database.url).toBeNull()
  const [line] = complaints({ entry: 'a.js' }, { environment: { REDIS_URL: 'cache:6379' } })
  expect(line).toContain('REDIS_URL: ****** is not allowed; expected a URL such as redis://host:6379')
  expect(line).toContain('it is taken for redis.url')
})

test.each([
  [{}, null],
  [{ RAILWAY_DEPLOYMENT_DRAINING_SECONDS: '' }, null],
  [{ RAILWAY_DEPLOYMENT_DRAINING_SECONDS: '30' }, 29_000],
  [{ RAILWAY_DEPLOYMENT_DRAINING_SECONDS: '3' }, 2400],
  [{ RAILWAY_DEPLOYMENT_DRAINING_SECONDS: '0', RAILWAY_REPLICA_ID: 'a' }, 500],
  [{ RAILWAY_ENVIRONMENT_ID: 'a' }, 500],
  [{ RAILWAY_REPLICA_ID: 'a', RAILWAY_DEPLOYMENT_DRAINING_SECONDS: '' }, 500],
  [{ RAILWAY_REPLICA_ID: '' }, null],
])('the platform %j leaves %s ms to stop', (environment, deadlineMs) => {
  expect(settled({}, { environment }).fleet.drain.stopDeadlineMs).toBe(deadlineMs)
})

test.each(['soon', '-1', '1e3', '100000'])('a draining time of %s is told', (text) => {
  const lines = complaints({ entry: 'a.js' }, { environment: { RAILWAY_DEPLOYMENT_DRAINING_SECONDS: text }, file: 'stationmaster.config.ts' })
  expect(lines).toEqual([`RAILWAY_DEPLOYMENT_DRAINING_SECONDS: "${text}" is not allowed; expected a number of seconds from 0 to 86400.`])
})

test('a log nobody reads as it is written is JSON', () => {
  expect(settled({}, { isTerminal: false }).log).toBe('json')
  expect(settled({ log: 'pretty' }, { isTerminal: false }).log).toBe('pretty')
})

test.each([
  ['./a.js', '/srv/app/a.js'],
  ['../a.js', '/srv/a.js'],
  ['../../../a.js', '/a.js'],
  ['/x//y/./z.js', '/x/y/z.js'],
  ['a b/ü.js', '/srv/app/a b/ü.js'],
])('the entry %s is %s', (entry, absolute) => {
  expect(settled({ entry }).app.entry).toBe(absolute)
})

test('forwarding between replicas needs a port, a secret and Redis, and is off without a port', () => {
  const environment = { STATIONMASTER_REPLICA_SECRET: 's'.repeat(32), REDIS_URL: 'redis://cache' }
  const listen = '[::]:9470'
  expect(settled({}, { environment }).replica).toBeNull()
  expect(settled({ replica: { listen } }, { environment }).replica).toEqual({
    listen: { host: '::', port: 9470 },
    address: null,
    secret: 's'.repeat(32),
  })
  expect(complaints({ entry: 'a.js', replica: { listen } }, { environment: {} })).toEqual([
    expect.stringContaining('replica.listen needs redis.url (or REDIS_URL)'),
    expect.stringContaining('replica.listen needs replica.secret (or STATIONMASTER_REPLICA_SECRET), the same in all replicas'),
  ])
  expect(complaints({ entry: 'a.js', replica: { listen: '[::]:0' } }, { environment })).toEqual([
    expect.stringContaining('replica.listen needs a port of its own'),
  ])
  const [short] = complaints({ entry: 'a.js' }, { environment: { ...environment, STATIONMASTER_REPLICA_SECRET: 'hunter2' } })
  expect(short).toContain('STATIONMASTER_REPLICA_SECRET: ****** is not allowed')
  expect(withoutEffect(settled({ replica: { listen }, routing: { sticky: false } }, { environment }))).toEqual([
    'replica.listen has no effect with routing.sticky false: no request belongs to one worker more than to another.',
  ])
})

test('what is taken from an environment that does not have it is as if it was not given', () => {
  const environment: NodeJS.ProcessEnv = {}
  const { NOTHING } = environment
  const options: Options = {
    database: { url: NOTHING },
    redis: { url: NOTHING, key: NOTHING },
    replica: { listen: NOTHING, address: NOTHING, secret: NOTHING },
    admin: { listen: NOTHING },
    journal: { file: NOTHING },
  }
  expect(settled(options)).toEqual(settled({}))
})
