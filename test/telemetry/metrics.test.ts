import { expect, test } from 'vitest'
import type { Note } from '../../packages/supervisor/src/fleet/note.ts'
import { createMetrics } from '../../packages/supervisor/src/telemetry/metrics.ts'
import { FakeControl, decision, worker } from '../operator/fake-control.ts'
import { type Family, readExposition } from './exposition.ts'

const PRICES = { perReplicaMonth: 15, fixedMonth: 5, budgetMonth: null }

const it = test.extend<{
  told: { control: FakeControl; note(note: Note): void; read(format?: 'prometheus' | 'openmetrics'): Promise<Map<string, Family>> }
}>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern to see that nothing else is needed
  told: async ({}, use) => {
    const control = new FakeControl()
    const metrics = createMetrics(control, PRICES)
    await use({
      control,
      note: (note) => control.tell({ ...note, atMs: 1 }),
      read: async (format = 'prometheus') => readExposition((await metrics.render(format)).body, format),
    })
    metrics.close()
    expect(control.listeners.size).toBe(0)
  },
})

const values = (families: Map<string, Family>, name: string): Record<string, number> =>
  Object.fromEntries(families.get(`stationmaster_${name}`)?.samples ?? [])

it('reads strictly what it is to read', () => {
  const good = '# HELP a_total b\n# TYPE a_total counter\na_total{x="1",y="\\""} 1\na_total{x="2"} 1.5e-7\n'
  expect(readExposition(good, 'prometheus').get('a_total')?.samples.size).toBe(2)
  for (const bad of [
    good.slice(0, -1),
    good.replaceAll('a_total', 'a'),
    good.replace('1.5e-7', 'null'),
    good.replace('x="2"', 'x="1",y="\\""'),
    good.replace('{x="2"}', '{x=2}'),
    good.replace('# HELP a_total b\n', ''),
    `${good}b 1\n`,
    good + good,
  ])
    expect(() => readExposition(bad, 'prometheus'), bad).toThrow()
})

it('tells of the fleet in base units, and nothing of what is not known', async ({ told }) => {
  const families = await told.read()
  expect(values(families, 'workers')).toEqual({ 'state=booting': 1, 'state=spare': 0, 'state=ready': 1, 'state=draining': 0, 'state=killing': 0 })
  expect(values(families, 'worker_cpu_ratio')).toEqual({ 'slot=0': 0.42 })
  expect(values(families, 'worker_event_loop_delay_p99_seconds')).toEqual({ 'slot=0': 0.0121, 'slot=1': 0.0121 })
  expect(values(families, 'worker_state')).toEqual({ 'slot=0,state=ready': 1, 'slot=1,state=booting': 1 })
  expect(values(families, 'fleet_response_time_p95_seconds')).toEqual({ '': 0.014 })
  expect(families.has('stationmaster_fleet_wait_time_p95_seconds')).toBe(false)
  expect(families.has('stationmaster_database_budget_connections')).toBe(false)
  expect(values(families, 'requests_total')).toEqual({ '': 12_345 })
  expect(values(families, 'cost_usd_per_month')).toEqual({ '': 20 })
  expect(values(families, 'fleet_signal')).toEqual({ 'signal=jobs': 4 })
})

it('keeps nothing of a worker that is gone, and one series for a slot that changes hands', async ({ told }) => {
  const { control } = told
  control.current = {
    ...control.current,
    workers: [
      { ...worker, state: 'draining', cpu: 0.1 },
      { ...worker, id: 9, cpu: 0.9 },
    ],
  }
  expect(values(await told.read(), 'worker_cpu_ratio')).toEqual({ 'slot=0': 0.9 })
  control.current = { ...control.current, workers: [] }
  const families = await told.read()
  expect([...families.keys()].filter((name) => name.startsWith('stationmaster_worker_'))).toEqual([])
})

it('tells of database connections where somebody limits them', async ({ told }) => {
  const { control } = told
  const lease = { granted: 20, acknowledged: 21, inUse: 3, waiting: 2 }
  const database = { budget: 100, share: 97, ...lease, quarantined: 5, foreign: 1, why: [] }
  control.current = { ...control.current, workers: [{ ...worker, database: lease }], database }
  const families = await told.read()
  for (const [name, value] of Object.entries({
    budget_connections: 100,
    share_connections: 97,
    granted_connections: 20,
    acknowledged_connections: 21,
    in_use_connections: 3,
    waiting_callers: 2,
    quarantined_connections: 5,
    foreign_connections: 1,
  }))
    expect(values(families, `database_${name}`), name).toEqual({ '': value })
  expect(values(families, 'worker_database_granted_connections')).toEqual({ 'slot=0': 20 })
})

const gone = (workerId: number, more: Partial<Extract<Note, { kind: 'worker:exited' }>>): Note => ({
  kind: 'worker:exited',
  because: null,
  workerId,
  slot: 0,
  expected: false,
  code: 1,
  signal: null,
  cause: null,
  lastStderrLines: [],
  ...more,
})

it('counts restarts by their cause', async ({ told }) => {
  told.note(gone(1, {}))
  told.note(gone(2, { code: null, signal: 'SIGSEGV' }))
  told.note(gone(3, { code: null, signal: 'SIGKILL', cause: 'cgroup-oom' }))
  told.note({ kind: 'worker:stuck', workerId: 4, silentMs: 10_000 })
  told.note({ kind: 'worker:killed', workerId: 4, reason: 'was stuck' })
  told.note(gone(4, { code: null, signal: 'SIGKILL' }))
  told.note({ kind: 'worker:killed', workerId: 5, reason: 'was not ready within 30 s' })
  told.note(gone(5, { code: null, signal: 'SIGKILL' }))
  told.note({ kind: 'worker:memory', workerId: 6, memoryBytes: 2, limitBytes: 1 })
  told.note(gone(6, { expected: true, code: 0 }))
  told.note({ kind: 'worker:unhealthy', workerId: 7, detail: '503' })
  told.note(gone(7, { expected: true, code: 0 }))
  told.note({ kind: 'worker:fork-failed', workerId: 8, message: 'EAGAIN' })
  // Asked to go: scale-in, reload, a drain that was cut at its deadline.
  told.note(gone(9, { expected: true, code: 0 }))
  told.note({ kind: 'worker:killed', workerId: 10, reason: 'its drain did not end by its deadline' })
  told.note(gone(10, { expected: true, code: null, signal: 'SIGKILL' }))
  const causes = ['exit', 'signal', 'out-of-memory', 'stuck', 'killed', 'fork-failed', 'memory-limit', 'unhealthy']
  expect(values(await told.read(), 'restarts_total')).toEqual(Object.fromEntries(causes.map((cause) => [`cause=${cause}`, 1])))
})

it('counts decisions, and what held them back under few names', async ({ told }) => {
  const decided = (from: number, to: number, heldBackBy: readonly string[] = []): void =>
    told.note({ kind: 'fleet:decided', decision: { ...decision, from, to, heldBackBy } })
  decided(1, 2)
  decided(2, 3)
  decided(3, 2)
  decided(2, 2, ['cooldown.up: 30 s of 60 s left', 'database.budget: 12 connections feed 6'])
  decided(2, 2, ['cooldown.up: 29 s of 60 s left', 'something new: 5'])
  const families = await told.read()
  expect(values(families, 'decisions_total')).toEqual({ 'direction=up': 2, 'direction=down': 1, 'direction=none': 2 })
  expect(values(families, 'decisions_held_back_total')).toMatchObject({
    'by=cooldown.up': 2,
    'by=database.budget': 1,
    'by=other': 1,
    'by=capacity': 0,
  })
})

it('speaks OpenMetrics too', async ({ told }) => {
  const families = await told.read('openmetrics')
  expect(values(families, 'requests')).toEqual({ '': 12_345 })
  expect(values(families, 'target_workers')).toEqual({ '': 2 })
})
