import { once } from 'node:events'
import net from 'node:net'
import { describe, expect } from 'vitest'
import { it } from './harness.ts'
import { fixture } from './harness/station.ts'

const FALLBACK = { routing: { balance: 'round-robin' } }

describe("Node's own round robin, where sockets cannot be shared", () => {
  it('answers every request before the fleet ends', async ({ stage }) => {
    const station = await stage.start({ app: 'slow-handler', config: FALLBACK, env: { SLOW_MS: '500' } })
    const slow = Array.from({ length: 8 }, () => station.get('/slow'))
    await station.until('requests in workers', ({ workers }) => workers.reduce((sum, { queue }) => sum + (queue ?? 0), 0) === 8)
    station.signal('SIGTERM')
    expect(await Promise.all(slow)).toHaveLength(8)
    expect(await station.ends()).toEqual({ code: 0, signal: null })
    expect(station.notes('worker:drained').map(({ cutRequests }) => cutRequests)).toEqual([0, 0])
  })

  it('has no spares, and says so to who asked for some', async ({ stage }) => {
    const station = await stage.start({ app: 'plain', config: { ...FALLBACK, workers: { spares: 1 } } })
    const said = station
      .notes()
      .filter(({ level, msg }) => level === 'warn' && msg.startsWith('workers.spares has no effect with routing.balance "round-robin"'))
    expect(said).toHaveLength(1)
    // A spare would have been forked by the first tick after the start.
    await station.until('what was measured', ({ workers }) => workers.every(({ cpu }) => cpu !== null))
    expect((await station.status())?.workers.map(({ state }) => state)).toEqual(['ready', 'ready'])
  })

  it('replaces a worker that is killed, and others go on', async ({ stage }) => {
    const station = await stage.start({ app: 'plain', config: FALLBACK })
    const load = stage.load(station, 16)
    await load.everyoneAnswered()
    const victim = load.pids[0] as number
    const mourners = load.on(victim)
    process.kill(victim, 'SIGKILL')
    await station.noted('worker:exited', ({ expected }) => expected === false)
    await station.running(2)
    await load.everyoneAnswered()
    await load.stop()
    expect(load.failed().filter(({ client, kind }) => kind !== 'reset' || !mourners.includes(client))).toEqual([])
  })

  it('ends with 1 and the cause, with the name of who has it, when the port is taken', async ({ stage }) => {
    const place = await stage.place()
    const holder = net.createServer().listen(place.port)
    await once(holder, 'listening')
    const station = await stage.launch({ app: 'plain', config: FALLBACK }, place)
    expect(await station.ends()).toEqual({ code: 1, signal: null })
    holder.close()
    const { msg } = await station.noted('fleet:stopped')
    expect(msg).toContain(`Cannot listen on port ${place.port}: it is in use by`)
    expect(msg).toContain(`(pid ${process.pid}). End that process, or choose another port.`)
  })

  it('ends with 1 when the app has nothing to listen on and nothing to do', async ({ stage }) => {
    const station = await stage.launch({ app: 'exits-0', config: FALLBACK })
    expect(await station.ends()).toEqual({ code: 1, signal: null })
    expect((await station.noted('fleet:stopped')).msg).toContain('exited with code 0 before it was ready')
  })

  it('says that it cannot keep clients from a worker that listens before it is ready', async ({ stage }) => {
    const entry = fixture('says-ready')
    const config = { ...FALLBACK, workers: { readyWhen: 'ready' } }
    const station = await stage.start({ entry, config, env: { BOOT_FILE: entry } })
    expect(station.notes().map(({ msg }) => msg)).toContainEqual(expect.stringContaining('workers.readyWhen "ready" cannot be kept'))
  })

  it('leaves nothing behind when the supervisor is killed', async ({ stage }) => {
    const station = await stage.start({ app: 'slow-handler', config: FALLBACK, env: { SLOW_MS: '500' } })
    const slow = Array.from({ length: 8 }, () => station.get('/slow'))
    await station.until('requests in workers', ({ workers }) => workers.reduce((sum, { queue }) => sum + (queue ?? 0), 0) === 8)
    station.signal('SIGKILL')
    expect(await Promise.all(slow)).toHaveLength(8)
    await station.ends()
    expect(await stage.alive()).toEqual([])
  })
})
