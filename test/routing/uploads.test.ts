import { createHash, randomBytes } from 'node:crypto'
import http from 'node:http'
import { describe, expect } from 'vitest'
import { it } from '../processes/harness.ts'
import { until, within } from '../processes/harness/until.ts'
import { RawClient } from '../worker/harness.ts'
import { ask } from './harness/ask.ts'
import { Fleet, type Seen, seenIn } from './harness/fleet.ts'

const CLIENTS = 40
/** 2,000 in all. */
const UPLOADS_EACH = 50
const ALL = CLIENTS * UPLOADS_EACH
/** By chance two of three are for another worker than the one that has the client's connection. */
const FORWARDED_AT_LEAST = ALL / 4
const BODIES = Array.from({ length: 8 }, (_, index) => randomBytes(500 + index * 3000))
const HASHES = BODIES.map((body) => createHash('sha256').update(body).digest('hex'))

interface Outcome {
  readonly path: string
  readonly status: number | string
  readonly isWhole: boolean
  readonly worker?: string
}

interface Arrival extends Outcome {
  /** The worker that had the connection just before. */
  readonly holder: string | undefined
}

/** One upload in three segments. */
function upload(fleet: Fleet, sid: string, path: string, which: number, agent: http.Agent): Promise<Outcome> {
  const body = BODIES[which] as Buffer
  const outcome = new Promise<Outcome>((resolve) => {
    const headers = { cookie: `sid=${sid}`, ...(which % 2 === 0 ? { 'content-length': body.length } : {}) }
    const request = http.request({ host: '127.0.0.1', port: fleet.station.port, path, method: 'POST', agent, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.on('error', (error: NodeJS.ErrnoException) => resolve({ path, status: error.code ?? error.message, isWhole: false }))
      response.on('end', () => {
        if (response.statusCode !== 200) return resolve({ path, status: response.statusCode ?? 0, isWhole: false })
        const { hash, worker } = JSON.parse(text) as Seen
        resolve({ path, status: 200, isWhole: hash === HASHES[which], worker })
      })
    })
    request.on('error', (error: NodeJS.ErrnoException) => resolve({ path, status: error.code ?? error.message, isWhole: false }))
    const third = Math.ceil(body.length / 3)
    request.write(body.subarray(0, third))
    setImmediate(() => {
      request.write(body.subarray(third, 2 * third))
      setImmediate(() => request.end(body.subarray(2 * third)))
    })
  })
  return within(`the outcome of ${path}`, outcome, { boundMs: 30_000 })
}

/**
 * Uploads of many clients, each with a cookie and a connection of its own, while `meanwhile` goes on. Before each a client asks, over the same connection, who has it:
 * a request for nobody else, so the connection does not follow the uploads to their owner.
 */
async function uploadAll(fleet: Fleet, meanwhile: () => Promise<void>): Promise<Arrival[]> {
  const arrivals: Arrival[] = []
  const all = Array.from({ length: CLIENTS }, async (_, client) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    for (let i = 0; i < UPLOADS_EACH; i++) {
      const answer = await ask({ port: fleet.station.port, path: '/who', agent }).catch(() => null)
      const outcome = await upload(fleet, `uploader-${client}`, `/upload-${client}-${i}`, (client + i) % BODIES.length, agent)
      arrivals.push({ ...outcome, holder: answer?.headers['x-worker'] as string | undefined })
    }
    agent.destroy()
  })
  await until('the first uploads', () => arrivals.length >= ALL / 8)
  await meanwhile()
  await Promise.all(all)
  const forwarded = arrivals.filter(({ worker, holder }) => worker && holder && worker !== holder)
  expect(forwarded.length).toBeGreaterThan(FORWARDED_AT_LEAST)
  return arrivals
}

async function pathsRun(fleet: Fleet): Promise<(string | undefined)[]> {
  return (await fleet.runs()).filter((line) => line.includes(' POST ')).map((line) => line.split(' ')[2])
}

async function expectAllOnce(fleet: Fleet, arrivals: readonly Arrival[]): Promise<void> {
  expect(arrivals.filter(({ isWhole }) => !isWhole)).toEqual([])
  const ran = await pathsRun(fleet)
  expect(ran).toHaveLength(new Set(ran).size)
  expect(ran.filter((path) => path?.startsWith('/upload-'))).toHaveLength(ALL)
}

describe('2,000 uploads over three workers, most of them forwarded', () => {
  it('arrive whole, all of them and each once, while a worker is drained', async ({ stage }) => {
    const fleet = await Fleet.open(stage, { workers: 3 })
    const arrivals = await uploadAll(fleet, async () => {
      await fleet.station.control.drain(Number([...fleet.sids.keys()][0]))
    })
    await expectAllOnce(fleet, arrivals)
  })

  it('arrive whole, all of them and each once, while a worker is stopped and goes on before it counts as stuck', async ({ stage }) => {
    const fleet = await Fleet.open(stage, { workers: 3, config: { health: { stuckAfter: '60s' } } })
    const [[paused, sid]] = [...fleet.sids] as [[string, string]]
    const pid = await fleet.pidOf(paused)
    const half = new RawClient(fleet.station.port)
    const arrivals = await uploadAll(fleet, async () => {
      half.say(`POST /half-sent HTTP/1.1\r\nHost: x\r\nCookie: sid=${sid}\r\nContent-Length: 8\r\n\r\npart`)
      await fleet.ran(`${paused} POST /half-sent`)
      process.kill(pid, 'SIGSTOP')
      try {
        half.say('rest')
        const { uptimeS = 0 } = (await fleet.station.status()) ?? {}
        await fleet.station.until('it misses several reports', (status) => status.uptimeS > uptimeS + 2)
        expect(half.heard).toBe('')
      } finally {
        process.kill(pid, 'SIGCONT')
      }
    })
    await within('an answer to what was half sent', half.hears('"encrypted"'))
    expect(seenIn(half.heard)).toMatchObject({ worker: paused, bytes: 8 })
    half.socket.destroy()
    await expectAllOnce(fleet, arrivals)
    expect(await fleet.pidOf(paused)).toBe(pid)
  })

  for (const [what, signal] of [
    ['killed', 'SIGKILL'],
    ['stopped, and replaced as stuck', 'SIGSTOP'],
  ] as const) {
    it(`are whole or known to have failed while a worker is ${what}, and no second worker runs one`, async ({ stage }) => {
      const fleet = await Fleet.open(stage, { workers: 3, config: { health: { stuckAfter: '2s' } } })
      const [[victim, sid]] = [...fleet.sids] as [[string, string]]
      const pid = await fleet.pidOf(victim)
      const half = new RawClient(fleet.station.port)
      const arrivals = await uploadAll(fleet, async () => {
        half.say(`POST /half-sent HTTP/1.1\r\nHost: x\r\nCookie: sid=${sid}\r\nContent-Length: 1000\r\n\r\npart`)
        await fleet.ran(`${victim} POST /half-sent`)
        process.kill(pid, signal)
      })
      await within('the end of what it had', Promise.race([half.closed, half.hears('HTTP/1.1 502')]))
      expect(half.heard).toMatch(/^$|^HTTP\/1.1 502 /)
      half.socket.destroy()
      const failed = arrivals.filter(({ isWhole }) => !isWhole)
      // What it had, directly or forwarded: at most one of each client.
      expect(failed.length).toBeLessThanOrEqual(CLIENTS)
      expect(new Set([...failed.map(({ status }) => status), 502, 'ECONNRESET', 'EPIPE'])).toEqual(new Set([502, 'ECONNRESET', 'EPIPE']))
      const ran = await pathsRun(fleet)
      expect(ran.filter((path, index) => ran.indexOf(path) !== index)).toEqual([])
      expect(new Set(ran).size).toBeGreaterThan(arrivals.length - failed.length)
    })
  }
})
