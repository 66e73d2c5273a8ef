import { describe, expect, test } from 'vitest'
import { type Fleet, type FleetSettings, initialFleet } from '../../packages/supervisor/src/fleet/fleet.ts'
import { type Recording, replay } from '../../packages/supervisor/src/fleet/replay.ts'
import { createRunningClock } from '../../packages/supervisor/src/primary/clock.ts'
import { createDesk } from '../../packages/supervisor/src/primary/desk.ts'
import { createEngine, type Engine } from '../../packages/supervisor/src/primary/engine.ts'
import { exitCause } from '../../packages/supervisor/src/primary/exit-cause.ts'
import { forkSpecOf, type LaunchContext } from '../../packages/supervisor/src/primary/launch.ts'
import { createRecorder } from '../../packages/supervisor/src/primary/recorder.ts'
import { createInbox } from '../../packages/supervisor/src/primary/reports.ts'
import { createStderrTail } from '../../packages/supervisor/src/primary/stderr-tail.ts'
import { StationmasterError } from '../../packages/supervisor/src/errors.ts'
import { resolveOptions } from '../../packages/supervisor/src/config/resolve.ts'

const capacity = { cpus: 4, memoryBytes: 8e9, source: 'host' } as const
const settings: FleetSettings = resolveOptions(
  { entry: './server.js', workers: { min: 2, max: 4 } },
  { baseFolder: '/app', environment: {}, capacity, isTerminal: false },
).fleet

/** An engine whose workers boot as soon as they are forked. */
function bootingEngine(record: (fleet: () => Fleet) => { record(event: never): void }) {
  const told: string[] = []
  let depth = 0
  const initial = initialFleet(settings)
  let engine: Engine | undefined
  const recorder = record(() => engine?.fleet() ?? initial)
  engine = createEngine(initial, {
    nowMs: () => 1000,
    execute(command) {
      depth++
      expect(depth).toBe(1)
      if (command.kind === 'fork') {
        engine?.dispatch({ kind: 'forked', workerId: command.workerId, pid: 100 + command.workerId })
        engine?.dispatch({ kind: 'readied', workerId: command.workerId })
      }
      depth--
    },
    tell: (note) => told.push(note.kind),
    record: (event) => recorder.record(event as never),
    failed(error) {
      throw error
    },
  })
  return { engine, told }
}

describe('the engine', () => {
  test('takes events one by one, though commands cause new ones at once', () => {
    const { engine, told } = bootingEngine(() => ({ record() {} }))
    engine.dispatch({ kind: 'started' })
    expect(engine.fleet().phase).toBe('running')
    expect(told.filter((kind) => kind === 'worker:ready')).toHaveLength(2)
    engine.close()
  })

  test('wakes the fleet when the deadline of a boot has come', async () => {
    const { promise, resolve } = Promise.withResolvers<string>()
    let nowMs = 0
    const engine = createEngine(initialFleet({ ...settings, workers: { ...settings.workers, bootTimeoutMs: 1 } }), {
      nowMs: () => (nowMs += 1),
      execute: (command) => command.kind === 'kill' && resolve(command.kind),
      tell() {},
      record() {},
      failed() {},
    })
    engine.dispatch({ kind: 'started' })
    expect(await promise).toBe('kill')
    engine.close()
  })

  test('goes on with the next event when one could not be taken to its end', () => {
    const failures: string[] = []
    const told: string[] = []
    const engine = createEngine(initialFleet(settings), {
      nowMs: () => 1000,
      execute(command) {
        if (command.kind === 'fork') throw new Error('no fork today')
      },
      tell: (note) => told.push(note.kind),
      record() {},
      failed: (error, event) => failures.push(`${event.kind}: ${String(error)}`),
    })
    engine.dispatch({ kind: 'started' })
    expect(failures).toEqual(['started: Error: no fork today'])
    engine.dispatch({ kind: 'stopRequested', reason: 'test' })
    expect(told).toContain('fleet:stopping')
    engine.close()
  })
})

describe('the recorder', () => {
  test('gives a recording that replays to the very fleet that is there, also after old events were dropped', () => {
    let recorder = createRecorder(() => initialFleet(settings), null)
    const { engine } = bootingEngine((fleet) => {
      recorder = createRecorder(fleet, null)
      return recorder as never
    })
    engine.dispatch({ kind: 'started' })
    for (let tick = 0; tick < 5000; tick++) engine.dispatch({ kind: 'sampled', wallMs: 0, samples: [], usage: { cpus: null, memoryBytes: null } })
    const [{ kind, ...start }, ...events] = [...recorder.lines()].map((line) => JSON.parse(line))
    expect(kind).toBe('start')
    const recording: Recording = { start, events }
    expect(recording.events.length).toBeLessThanOrEqual(1200)
    expect(replay(recording).fleet).toEqual(engine.fleet())
    engine.close()
  })
})

describe('the running clock', () => {
  test('stands still while the process was suspended, and only then', () => {
    let rawMs = 0
    const clock = createRunningClock(100, () => rawMs)
    rawMs = 4000
    expect(clock.nowMs()).toBe(4000)
    rawMs = 3_604_000
    expect(clock.nowMs()).toBe(4000)
    rawMs = 3_605_000
    expect(clock.nowMs()).toBe(5000)
  })

  test('goes on where the primary looks at it seldom, by its own settings', () => {
    let rawMs = 0
    const clock = createRunningClock(10_000, () => rawMs)
    rawMs = 20_000
    expect(clock.nowMs()).toBe(20_000)
    rawMs = 3_620_000
    expect(clock.nowMs()).toBe(20_000)
  })
})

describe('the desk', () => {
  test('settles each request once, with its own answer', async () => {
    const desk = createDesk()
    const ids: number[] = []
    const good = desk.ask((id) => ids.push(id))
    const bad = desk.ask((id) => ids.push(id))
    const error = new StationmasterError('SM_RELOAD_BUSY', 'environment', 'Wait.')
    desk.answer(ids[1] as number, error, '')
    desk.answer(ids[0] as number, null, 'done')
    desk.answer(ids[0] as number, error, 'nobody waits any more')
    await expect(good).resolves.toBe('done')
    await expect(bad).rejects.toBe(error)
  })
})

describe('the inbox', () => {
  test('gives a report once: a worker that fell silent has none', () => {
    const inbox = createInbox()
    const report = { intervalMs: 1 } as never
    inbox.put(1, report)
    expect(inbox.take(1)).toBe(report)
    expect(inbox.take(1)).toBeNull()
  })
})

describe('the last words of a worker', () => {
  test('are its last lines, bounded, without what its inspector said', () => {
    const tail = createStderrTail()
    tail.push(`Debugger listening on ws://127.0.0.1:1/x\nFor help, see: https://nodejs.org/x\n${'line\n'.repeat(1000)}`)
    tail.push('x'.repeat(100_000))
    tail.push('\nthe en')
    tail.push('d')
    expect(tail.lines()).toHaveLength(40)
    expect(tail.lines().at(-1)).toBe('the end')
    expect(Math.max(...tail.lines().map((line) => line.length))).toBe(500)
    expect(tail.lines().join()).not.toContain('Debugger')
  })

  test('tell a full heap from a kill by the kernel and by anybody else', () => {
    expect(exitCause('SIGABRT', ['FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory'], false)).toBe('heap-oom')
    expect(exitCause('SIGABRT', [], false)).toBeNull()
    expect(exitCause('SIGKILL', [], true)).toBe('cgroup-oom')
    expect(exitCause('SIGKILL', [], false)).toBeNull()
    expect(exitCause(null, [], true)).toBeNull()
  })
})

describe('a fork', () => {
  const fork = { kind: 'fork', workerId: 7, slot: 2, generation: 3, role: 'spare' } as const
  const context: LaunchContext = {
    app: { entry: '/app/server.js', args: ['--x'], execArgv: [], env: { MINE: '1' } },
    fleet: settings,
    register: 'file:///register.js',
    replicaId: 'r1',
    listen: 'own',
    connectionPrefix: null,
    redis: null,
    replica: null,
    nodeOptions: '',
    sticky: null,
    trustedProxies: ['10.0.0.0/8', '::1/128'],
    neighbours: null,
  }

  test('tells the worker who it is, and limits its heap to its part of the memory', () => {
    const { env, execArgv } = forkSpecOf(fork, context)
    expect(env).toMatchObject({ MINE: '1', STATIONMASTER_WORKER_ID: '7', STATIONMASTER_WORKER_SLOT: '2', STATIONMASTER_REPLICA_ID: 'r1' })
    expect(env['STATIONMASTER_TRUSTED_PROXIES']).toBe('10.0.0.0/8,::1/128')
    expect(forkSpecOf(fork, { ...context, trustedProxies: [] }).env).not.toHaveProperty('STATIONMASTER_TRUSTED_PROXIES')
    const heapMb = Math.floor((8e9 * 0.9 * 0.8) / 4 / 2 ** 20)
    expect(execArgv).toEqual(['--import', 'file:///register.js', `--max-old-space-size=${heapMb}`])
  })

  test('leaves a heap limit alone that the user has set, in execArgv or NODE_OPTIONS', () => {
    const own = forkSpecOf(fork, { ...context, app: { ...context.app, execArgv: ['--max-old-space-size=64'] } })
    expect(own.execArgv.filter((text) => text.includes('old-space'))).toEqual(['--max-old-space-size=64'])
    const inherited = forkSpecOf(fork, { ...context, nodeOptions: '--max_old_space_size=64' })
    expect(inherited.execArgv.some((text) => text.includes('old-space'))).toBe(false)
  })
})
