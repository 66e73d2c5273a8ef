import { access } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect } from 'vitest'
import { it } from './harness.ts'
import { ask, fixture } from './harness/station.ts'
import { until } from './harness/until.ts'

const pidsOf = (workers: readonly { pid: number | null }[]): string[] => workers.map(({ pid }) => String(pid))

describe('an app that imports nothing of ours', () => {
  for (const entry of ['express.mjs', 'fastify.mjs', 'module.mjs', 'common.cjs', 'typescript.ts']) {
    it(`is served, reloaded and stopped without loss: ${entry}`, async ({ stage }) => {
      const station = await stage.start({ entry: fixture(entry) })
      const load = stage.load(station, 8)
      await load.everyoneAnswered()
      await station.control.reload()
      const pids = pidsOf(await station.running(2))
      await load.everyoneAnswered()
      await load.stop()
      expect(load.summary()).toBe('none')
      expect(pids).toContain(await station.get())
      station.signal('SIGTERM')
      expect(await station.ends()).toEqual({ code: 0, signal: null })
      expect(station.stderr).toBe('')
    })
  }
})

describe('listen()', () => {
  it('serves several ports, each by every worker', async ({ stage }) => {
    const place = await stage.place()
    const second = (await stage.place()).port
    const station = await stage.launch({ app: 'two-ports', env: { PORT_2: String(second) } }, place)
    const pids = pidsOf(await station.running(2))
    expect(pids.map((pid) => `first ${pid}`)).toContain(await station.get())
    expect(pids.map((pid) => `second ${pid}`)).toContain(await station.get('/', { port: second }))
    await station.control.reload()
    expect(await station.get()).toMatch(/^first \d+$/)
    expect(await station.get('/', { port: second })).toMatch(/^second \d+$/)
  })

  it('with port 0 gives every worker the same port', async ({ stage }) => {
    const station = await stage.start({ app: 'port-zero' }, 2)
    const ports = await until('two ports', () => {
      const told = [...station.stdout.matchAll(/^listens on (\d+)$/gm)].map(([, port]) => Number(port))
      return told.length === 2 && told
    })
    expect(new Set(ports).size).toBe(1)
    expect(pidsOf(await station.running(2))).toContain(await station.get('/', { port: ports[0] as number }))
  })

  it('with a host serves that host only', async ({ stage }) => {
    const station = await stage.start({ app: 'plain-host', env: { HOST: '127.0.0.2' } })
    expect(pidsOf(await station.running(2))).toContain(await station.get('/', { host: '127.0.0.2' }))
    expect(await station.noted('fleet:listening')).toMatchObject({ addresses: [`127.0.0.2:${station.port}`] })
    await expect(station.get()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('with :: serves IPv6 and IPv4', async ({ stage }) => {
    const station = await stage.start({ app: 'plain-host', env: { HOST: '::' } })
    const pids = pidsOf(await station.running(2))
    expect(pids).toContain(await station.get('/', { host: '::1' }))
    expect(pids).toContain(await station.get())
  })

  it('with a path serves a Unix socket, takes over a stale one, and leaves none behind', async ({ stage }) => {
    const place = await stage.place()
    const socketPath = path.join(place.folder, 'app.sock')
    const options = { app: 'plain', env: { PORT: socketPath } }
    const first = await stage.launch(options, place)
    await first.running(2)
    first.signal('SIGKILL')
    await first.ends()
    const second = await stage.launch(options, place)
    const pids = pidsOf(await second.running(2))
    expect(pids).toContain(await ask({ socketPath }))
    await second.control.reload()
    expect(pids).not.toContain(await ask({ socketPath }))
    second.signal('SIGTERM')
    await second.ends()
    await expect(access(socketPath)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  for (const { host, says } of [
    { host: '192.0.2.1', says: 'this machine does not have that address' },
    { host: 'no.such.host.invalid', says: 'no.such.host.invalid' },
  ]) {
    it(`is refused with a clear sentence: ${host}`, async ({ stage }) => {
      const station = await stage.launch({ app: 'plain-host', env: { HOST: host } })
      expect(await station.ends()).toEqual({ code: 1, signal: null })
      expect((await station.noted('fleet:stopped')).msg).toContain(says)
    })
  }
})
