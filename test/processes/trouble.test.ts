import { execFileSync } from 'node:child_process'
import { readFile, readdir, stat } from 'node:fs/promises'
import { describe, expect } from 'vitest'
import { it } from './harness.ts'
import { until } from './harness/until.ts'

const SECRET = 'canary-4711-secret'

describe('a stuck event loop', () => {
  it('is reported with the stack of what blocks it and nothing secret, and its worker is replaced', async ({ stage }) => {
    const station = await stage.start({ app: 'blocks-loop', config: { health: { stuckAfter: '2s' } }, env: { API_TOKEN: SECRET } })
    const pids = (await station.running(2)).map(({ pid }) => pid as number)
    const blocked = station.get('/block').then(
      () => 'answered',
      (error: NodeJS.ErrnoException) => error.code,
    )
    const { reportPath, workerId } = await station.noted('worker:diagnosed')
    const text = await readFile(String(reportPath), 'utf8')
    const report = JSON.parse(text) as { javascriptStack: { stack: string[] }; header: { processId: number } }
    expect(report.javascriptStack.stack.join('\n')).toContain('countTheStars')
    expect(pids).toContain(report.header.processId)
    expect(text).not.toContain(SECRET)
    expect(report).not.toHaveProperty('environmentVariables')
    expect((await stat(String(reportPath))).mode & 0o777).toBe(0o600)
    await station.noted('worker:exited', (exit) => exit['workerId'] === workerId && exit['expected'] === false && exit['signal'] === 'SIGKILL')
    const after = await station.running(2)
    expect(after.map(({ pid }) => pid)).not.toContain(report.header.processId)
    expect(after.some(({ pid }) => pids.includes(pid as number))).toBe(true)
    expect(await blocked).toBe('ECONNRESET')
  })

  it('does not hold up the clients of others', async ({ stage }) => {
    const station = await stage.start({ app: 'blocks-loop', config: { health: { stuckAfter: '2s' } } })
    const blocked = station.get('/block').catch(() => {})
    await station.until('one silent worker', ({ workers }) => workers.some(({ queue }) => queue === null))
    const load = stage.load(station, 16)
    await load.answers(1000)
    await station.noted('worker:exited')
    await station.running(2)
    await load.everyoneAnswered()
    await load.stop()
    await blocked
    expect(load.summary()).toBe('none')
  })
})

describe('a worker above workers.memoryLimit', () => {
  it('is replaced first and drained then: no request fails', async ({ stage }) => {
    const station = await stage.start({ app: 'leaks', config: { workers: { memoryLimit: '250MB' } } })
    const load = stage.load(station, 8)
    await load.answers(200)
    await until('a worker above its memory limit', async () => (await station.get('/leak')) && station.notes('worker:memory').length > 0)
    const { workerId } = await station.noted('worker:memory')
    await station.noted('worker:drained', (note) => note['workerId'] === workerId)
    const workers = await station.running(2)
    await load.everyoneAnswered()
    await load.stop()
    expect(load.summary()).toBe('none')
    expect(workers.map(({ id }) => id)).not.toContain(workerId)
    expect(orderOf(station.notes(), workerId as number)).toEqual([
      'worker:memory',
      'worker:ready',
      'worker:draining',
      'worker:drained',
      'worker:exited',
    ])
    expect((await station.status())?.restarts.total).toBe(0)
  })
})

describe('a worker at its limit of descriptors', () => {
  it('lets others serve, and serves again when it can', async ({ stage }) => {
    const station = await stage.start({ app: 'plain' })
    const [victim] = await station.running(2)
    const pid = victim?.pid as number
    const used = (await readdir(`/proc/${pid}/fd`)).length
    execFileSync('prlimit', ['--pid', String(pid), `--nofile=${used}:4096`])
    const load = stage.load(station, 32)
    await load.answers(2000)
    execFileSync('prlimit', ['--pid', String(pid), '--nofile=4096:4096'])
    const later = stage.load(station, 64)
    await until('clients with the worker that could take none', () => later.on(pid).length > 0, {
      instead: () => `${later.pids.join(', ')}; failed: ${later.summary()}`,
    })
    await Promise.all([load.stop(), later.stop()])
    expect(load.failed('timeout')).toEqual([])
    expect(load.failed('refused')).toEqual([])
    expect(later.summary()).toBe('none')
    expect((await station.running(2)).map((worker) => worker.pid)).toContain(pid)
  })
})

describe('a supervisor that did not run for a while', () => {
  it('finds nobody stuck when it wakes up', async ({ stage }) => {
    const station = await stage.start({ app: 'plain', config: { health: { stuckAfter: '2s' } } })
    const load = stage.load(station, 8)
    await load.answers(100)
    station.signal('SIGSTOP')
    const asleepAtMs = performance.now()
    await until('a long sleep', async () => {
      await load.answers(100)
      return performance.now() - asleepAtMs > 6000
    })
    station.signal('SIGCONT')
    const { uptimeS } = await station.until('its answer', (status) => status)
    await station.until('a while later', (status) => status.uptimeS - uptimeS > 3)
    await load.stop()
    expect(load.summary()).toBe('none')
    expect(station.notes('worker:stuck')).toEqual([])
    expect((await station.running(2)).map(({ id }) => id)).toEqual([1, 2])
  })
})

/** What happened around a worker that was replaced: its own notes, and its successor's readiness. */
function orderOf(notes: readonly { readonly event?: string }[], workerId: number): string[] {
  const begin = notes.findIndex((note) => note.event === 'worker:memory')
  return notes
    .slice(begin)
    .filter((note) => note.event === 'worker:ready' || (note as { workerId?: number }).workerId === workerId)
    .flatMap(({ event }) => event ?? [])
}
