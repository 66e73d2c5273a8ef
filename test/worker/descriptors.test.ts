import { spawnSync } from 'node:child_process'
import { describe, expect } from 'vitest'
import { get, it, RawClient, REQUEST } from './harness.ts'
import type { MiniPrimary, MiniWorker } from './mini-primary.ts'

const LIMIT = 64
/** More than the process has descriptors for. */
const MANY = 80

/** A worker that may open 64 files; set before it has read a line of code. */
async function limited(primary: MiniPrimary): Promise<MiniWorker> {
  const worker = primary.fork('plain-http.mjs')
  const { status, stderr } = spawnSync('prlimit', ['--pid', String(worker.pid), `--nofile=${LIMIT}:${LIMIT}`])
  expect({ status, stderr: String(stderr) }).toEqual({ status: 0, stderr: '' })
  await worker.seen('listening')
  return worker
}

function connectMany(port: number): RawClient[] {
  const clients = Array.from({ length: MANY }, () => new RawClient(port))
  for (const client of clients) client.say(REQUEST)
  return clients
}

describe.runIf(process.platform === 'linux')('a worker near its limit of open files', () => {
  it('closes its door instead of closing connections, and opens it when there is room', async ({ primary }) => {
    const worker = await limited(primary)
    const clients = connectMany(primary.port)
    await worker.until(() => worker.stderr.includes('file descriptors'), 'the complaint')
    const served = () => clients.filter((client) => client.heard.includes(' 200 '))
    const waiting = () => clients.filter((client) => client.heard === '')
    const count = worker.all('report').length
    await worker.until(() => worker.all('report').length > count + 15, 'several looks')
    expect(served().length).toBeGreaterThan(0)
    expect(waiting().length).toBeGreaterThan(0)
    expect(clients.filter((client) => client.socket.destroyed)).toEqual([])
    for (const client of served()) client.socket.destroy()
    await Promise.all(waiting().map((client) => client.hears(' 200 ')))
    for (const client of clients) client.socket.destroy()
    expect((await get(primary.port)).body).toBe(String(worker.pid))
    expect(worker.stderr.match(/stationmaster: /g)).toHaveLength(1)
  })

  it('leaves further connections to the others', async ({ primary }) => {
    const worker = await limited(primary)
    const clients = connectMany(primary.port)
    await worker.until(() => worker.stderr.includes('file descriptors'), 'the complaint')
    const other = primary.fork('plain-http.mjs')
    await other.seen('listening')
    await Promise.all(clients.map((client) => client.hears(' 200 ')))
    expect(new Set(clients.map((client) => client.heard.split('\r\n\r\n')[1]))).toEqual(new Set([worker, other].map(({ pid }) => String(pid))))
    for (const client of clients) client.socket.destroy()
  })
})
