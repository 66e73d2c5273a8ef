import net from 'node:net'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { createMetrics } from '../../packages/supervisor/src/telemetry/metrics.ts'
import { type AdminServer, openAdminServer } from '../../packages/supervisor/src/operator/admin-server.ts'
import { FakeControl, keepingLogger, status } from './fake-control.ts'
import { defaultScaling } from '../policy/settings.ts'
import { readExposition } from '../telemetry/exposition.ts'
import { RawClient, get, post } from './harness.ts'

const PRICES = { perReplicaMonth: 20, fixedMonth: 20, budgetMonth: null }
const settings = { scaling: defaultScaling, prices: PRICES }
const NO_METRICS = { render: async () => ({ contentType: 'text/plain', body: '' }) }

interface Admin {
  readonly control: FakeControl
  readonly port: number
  readonly server: AdminServer
}

const it = test.extend<{ admin: Admin }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern to see that nothing else is needed
  admin: async ({}, use) => {
    const control = new FakeControl()
    const metrics = createMetrics(control, PRICES)
    const server = await openAdminServer({ host: '127.0.0.1', port: 0, control, metrics, settings, log: keepingLogger() })
    await use({ control, server, port: Number(new URL(server.url).port) })
    await server.close()
    metrics.close()
    expect(control.listeners.size).toBe(0)
  },
})

it('serves what may be read', async ({ admin }) => {
  expect(await get(admin.port, '/v1/status')).toMatchObject({ status: 200, body: status })
  expect(await get(admin.port, '/v1/decisions?last=1')).toMatchObject({ status: 200 })
  expect(await get(admin.port, '/v1/explain')).toMatchObject({ status: 200 })
  expect(await get(admin.port, '/')).toMatchObject({ status: 200 })
  const listener = new RawClient(admin.port).say('GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await listener.hears('welcome')
  listener.socket.destroy()
  await admin.control.hasListeners(1)
})

it('serves nothing that changes the fleet', async ({ admin }) => {
  for (const url of ['/v1/scale', '/v1/reload', '/v1/workers/1/drain'])
    expect(await post(admin.port, url, '{"workers":4}')).toMatchObject({ status: 404 })
  expect(await post(admin.port, '/v1/status', '{}')).toMatchObject({ status: 405 })
  expect(admin.control.asked).toEqual([])
  expect(await get(admin.port, '/v1/recording')).toMatchObject({ status: 404 })
})

it('is live always, and ready only while it runs with a ready worker', async ({ admin }) => {
  const { current } = admin.control
  const answers: number[] = []
  for (const [state, ready] of [
    ['starting', 0],
    ['running', 1],
    ['running', 0],
    ['draining', 1],
    ['stopped', 0],
  ] as const) {
    admin.control.current = { ...current, state, fleet: { ...current.fleet, ready } }
    expect((await get(admin.port, '/livez')).status).toBe(200)
    answers.push((await get(admin.port, '/readyz')).status)
  }
  expect(answers).toEqual([503, 200, 503, 503, 503])
})

it.for([
  ['localhost', 200],
  ['LOCALHOST:9000', 200],
  ['127.0.0.1', 200],
  ['127.0.0.1:9000', 200],
  ['[::1]:9000', 200],
  ['10.1.2.3', 200],
  ['evil.example', 403],
  ['evil.example:9000', 403],
  ['localhost.evil.example', 403],
  ['127.0.0.1.evil.example', 403],
  ['[::1', 403],
  ['', 403],
] as const)('asked as "%s" it answers %i', async ([host, code], { admin }) => {
  expect((await get(admin.port, '/v1/status', host)).status).toBe(code)
  expect((await get(admin.port, '/livez', host)).status).toBe(200)
})

it('grants nothing to other origins', async ({ admin }) => {
  expect((await get(admin.port, '/v1/status')).head).not.toMatch(/access-control/i)
})

it('says that its port is taken', async () => {
  const holder = net.createServer().listen(0, '127.0.0.1')
  await once(holder, 'listening')
  const { port } = holder.address() as net.AddressInfo
  const options = { host: '127.0.0.1', port, control: new FakeControl(), metrics: NO_METRICS, settings, log: keepingLogger() }
  await expect(openAdminServer(options)).rejects.toMatchObject({ code: 'SM_PORT_IN_USE', message: expect.stringContaining(`127.0.0.1:${port}`) })
  await new Promise((resolve) => holder.close(resolve))
})

it('says that it may not listen there', async () => {
  const options = { host: '192.0.2.1', port: 0, control: new FakeControl(), metrics: NO_METRICS, settings, log: keepingLogger() }
  await expect(openAdminServer(options)).rejects.toMatchObject({ code: 'SM_LISTEN_REFUSED', message: expect.stringContaining('EADDRNOTAVAIL') })
})

it('tells scrapers in the format they ask for', async ({ admin }) => {
  const ask = (accept: string) => fetch(`${admin.server.url}/metrics`, { headers: { accept } })
  const plain = await ask('text/plain;version=0.0.4;q=0.9,*/*')
  expect(plain.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  expect(readExposition(await plain.text(), 'prometheus').get('stationmaster_target_workers')?.samples).toEqual(new Map([['', 2]]))
  const open = await ask('application/openmetrics-text;version=1.0.0,text/plain;q=0.5')
  expect(open.headers.get('content-type')).toMatch(/^application\/openmetrics-text; version=1\.0\.0/)
  expect(readExposition(await open.text(), 'openmetrics').get('stationmaster_target_workers')?.samples).toEqual(new Map([['', 2]]))
})
