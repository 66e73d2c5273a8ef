import { execFileSync } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import http from 'node:http'
import { describe, expect } from 'vitest'
import { it } from './harness.ts'
import { until } from './harness/until.ts'

describe('signals that a worker gets from outside', () => {
  it('do not end it: workers follow the supervisor', async ({ stage }) => {
    const station = await stage.start({ app: 'plain' })
    const before = (await station.running(2)).map(({ pid }) => pid as number)
    const load = stage.load(station, 8)
    await load.everyoneAnswered()
    for (const pid of before) {
      process.kill(pid, 'SIGTERM')
      process.kill(pid, 'SIGINT')
    }
    await load.answers(200)
    await load.stop()
    expect(load.summary()).toBe('none')
    expect((await station.running(2)).map(({ pid }) => pid)).toEqual(before)
  })
})

describe('a fork that fails', () => {
  it('is a failed start, not the end: the fleet is whole again when descriptors are', async ({ stage }) => {
    const station = await stage.start({ app: 'plain', config: { restart: { intensity: 1000 } } })
    const load = stage.load(station, 8)
    await load.everyoneAnswered()
    const [victim] = await station.running(2)
    const used = (await readdir(`/proc/${station.pid}/fd`)).length
    // Room for the answers of the control socket, but not for a fork.
    execFileSync('prlimit', ['--pid', String(station.pid), `--nofile=${used}:4096`])
    process.kill(victim?.pid as number, 'SIGKILL')
    await station.noted('worker:exited')
    await until('a failed fork', () => station.notes('worker:fork-failed').length > 0, { instead: () => station.told() })
    execFileSync('prlimit', ['--pid', String(station.pid), '--nofile=4096:4096'])
    await station.running(2)
    await load.everyoneAnswered()
    await load.stop()
    expect(load.failed().filter(({ kind }) => kind !== 'reset')).toEqual([])
    expect(station.notes('supervisor:bug')).toEqual([])
  })
})

describe('a worker that dies in its drain', () => {
  it('is not counted as a crash, and the reload goes on', async ({ stage }) => {
    const station = await stage.start({ app: 'dies-in-drain', config: { restart: { intensity: 0 } } })
    expect(await station.control.reload()).toContain('generation 2 is serving')
    await station.running(2)
    expect((await station.status())?.restarts.total).toBe(0)
    station.signal('SIGTERM')
    expect(await station.ends()).toEqual({ code: 0, signal: null })
  })
})

describe('a worker that is ill', () => {
  it('is replaced, start before stop, when it fails its health checks', async ({ stage }) => {
    const config = { workers: { min: 2 }, health: { path: '/health', interval: '200ms', timeout: '200ms', unhealthyThreshold: 2 } }
    const station = await stage.start({ app: 'falls-ill', config })
    const load = stage.load(station, 8)
    await load.everyoneAnswered()
    const ill = Number(await station.get('/fall-ill'))
    await station.noted('worker:unhealthy')
    await station.until('its replacement', ({ fleet, workers }) => fleet.ready === 2 && workers.every(({ pid }) => pid !== ill))
    await load.everyoneAnswered()
    await load.stop()
    expect(load.summary()).toBe('none')
    expect((await station.status())?.restarts.total).toBe(0)
  })
})

describe('a request to the operator', () => {
  it('is answered when the supervisor stops before it is done', async ({ stage }) => {
    const station = await stage.launch({ app: 'never-ready', config: { drain: { timeout: '1s' } } })
    await station.until('a worker', ({ workers }) => workers.length > 0)
    const scale = station.control.scale(3).catch((error: { code: string }) => error.code)
    await station.until('its target', ({ fleet }) => fleet.target === 3)
    station.signal('SIGTERM')
    expect(await scale).toBe('SM_STOPPING')
    expect(await station.ends()).toEqual({ code: 0, signal: null })
  })
})

describe('keep-alive clients of a fleet that stops', () => {
  it('are told so with their next answer, and are not cut before it', async ({ stage }) => {
    const station = await stage.start({ app: 'slow-handler', env: { SLOW_MS: '500' } })
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    const answer = new Promise<http.IncomingMessage>((resolve, reject) => {
      http.get({ host: '127.0.0.1', port: station.port, path: '/slow', agent }, (response) => resolve(response.resume())).on('error', reject)
    })
    await station.until('the request in a worker', ({ workers }) => workers.some(({ queue }) => queue === 1))
    station.signal('SIGTERM')
    const { statusCode, headers } = await answer
    expect([statusCode, headers.connection]).toEqual([200, 'close'])
    expect(await station.ends()).toEqual({ code: 0, signal: null })
    agent.destroy()
  })
})
