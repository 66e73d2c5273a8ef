import { readdir } from 'node:fs/promises'
import { describe, expect } from 'vitest'
import { it } from './harness.ts'
import type { Load } from './harness/load.ts'
import type { Station } from './harness/station.ts'
import { until } from './harness/until.ts'

const CLIENTS = 16

/** A worker that has clients, with these clients. Kernels do not deal out connections evenly, so which one it is has to be looked up. */
function busiest(load: Load): { pid: number; clients: number } {
  const counts = load.pids.map((pid) => ({ pid, clients: load.on(pid).length }))
  return counts.toSorted((one, other) => other.clients - one.clients)[0] as { pid: number; clients: number }
}

/** What the supervisor has open besides the connections of whoever asks it something. */
async function openFiles(station: Station): Promise<number> {
  await station.running(2)
  return (await readdir(`/proc/${station.pid}/fd`)).length
}

describe('a worker that dies under load', () => {
  it('takes only its own requests with it when it is killed with -9, and is replaced', async ({ stage }) => {
    const station = await stage.start({ app: 'plain', config: { workers: { min: 3 } } }, 3)
    const load = stage.load(station, CLIENTS)
    await load.everyoneAnswered()
    const victim = busiest(load)
    const mourners = load.on(victim.pid)
    process.kill(victim.pid, 'SIGKILL')
    await station.noted('worker:exited', ({ signal, expected }) => signal === 'SIGKILL' && expected === false)
    const workers = await station.running(3)
    await load.everyoneAnswered()
    await load.stop()
    expect(workers.map(({ pid }) => pid)).not.toContain(victim.pid)
    expect(load.failed().length).toBeLessThanOrEqual(mourners.length)
    expect(load.failed().filter(({ client, kind }) => kind !== 'reset' || !mourners.includes(client))).toEqual([])
    expect((await station.status())?.restarts).toMatchObject({ total: 1, lastExit: { signal: 'SIGKILL', code: null } })
  })

  it('refuses nobody while all workers are dead at once', async ({ stage }) => {
    const station = await stage.start({ app: 'plain', config: { workers: { min: 3 } } }, 3)
    const load = stage.load(station, CLIENTS)
    await load.everyoneAnswered()
    const before = (await station.running(3)).map(({ pid }) => pid as number)
    for (const pid of before) process.kill(pid, 'SIGKILL')
    const after = await station.until(
      'three new workers',
      ({ fleet, workers }) => fleet.ready === 3 && workers.every(({ pid }) => !before.includes(pid as number)) && workers,
    )
    await load.everyoneAnswered()
    await load.stop()
    expect(after).toHaveLength(3)
    expect(load.failed('refused')).toEqual([])
    expect(load.failed().length).toBeLessThanOrEqual(CLIENTS)
    expect(load.failed().filter(({ kind }) => kind !== 'reset')).toEqual([])
  })

  it('holds up nobody but its own clients when it is stopped, and is replaced within stuckAfter', async ({ stage }) => {
    const station = await stage.start({ app: 'plain', config: { health: { stuckAfter: '2s' } } })
    const load = stage.load(station, CLIENTS)
    await load.everyoneAnswered()
    const victim = busiest(load)
    const held = load.on(victim.pid)
    process.kill(victim.pid, 'SIGSTOP')
    const others = load.clients.filter((client) => !held.includes(client))
    const before = others.map(({ answered }) => answered)
    const newcomers = stage.load(station, CLIENTS)
    await newcomers.answers(CLIENTS * 10)
    await station.noted('worker:stuck')
    expect(others.filter(({ answered }, index) => answered === before[index])).toEqual([])
    await station.noted('worker:exited', ({ signal, expected }) => signal === 'SIGKILL' && expected === false)
    await station.running(2)
    await load.everyoneAnswered()
    await Promise.all([load.stop(), newcomers.stop()])
    expect(load.failed().filter(({ client, kind }) => kind !== 'reset' || !held.includes(client))).toEqual([])
    expect(newcomers.failed('refused')).toEqual([])
    expect(newcomers.failed('timeout')).toEqual([])
  })

  it('leaves nothing open in the supervisor, however often', async ({ stage }) => {
    const station = await stage.start({ app: 'plain', config: { restart: { intensity: 100 } } })
    const load = stage.load(station, CLIENTS)
    await station.control.reload()
    const before = await openFiles(station)
    for (let deaths = 0; deaths < 5; deaths++) {
      await load.everyoneAnswered()
      process.kill(busiest(load).pid, 'SIGKILL')
      await station.until('the death', ({ restarts }) => restarts.total > deaths)
      await station.running(2)
    }
    await station.control.reload()
    await load.stop()
    await until('as many open files as before', async () => (await openFiles(station)) <= before, {
      instead: () => `more than ${before}`,
    })
    expect(station.notes('worker:exited').filter(({ expected }) => expected === false)).toHaveLength(5)
  })

  it('is told from others by what it had, when the kernel or V8 ended it for its memory', async ({ stage }) => {
    const config = { workers: { min: 1, memoryLimit: '1GB' }, execArgv: ['--max-old-space-size=40'] }
    const station = await stage.start({ app: 'fills-heap', config }, 1)
    await station.get('/fill').catch(() => {})
    const exit = await station.noted('worker:exited')
    expect(exit).toMatchObject({ signal: 'SIGABRT', cause: 'heap-oom', expected: false })
    await station.running(1)
  })
})
