import { readFile } from 'node:fs/promises'
import net from 'node:net'
import { describe, expect } from 'vitest'
import { it } from '../processes/harness.ts'
import { until, within } from '../processes/harness/until.ts'
import { ask } from './harness/ask.ts'
import { Fleet, type Foreign } from './harness/fleet.ts'
import { frame, handshake } from './harness/frames.ts'

const BYTES = 300_000_000
const MORE_AT_MOST_BYTES = 20_000_000
/** With 1 MB for each, they would just be too many. */
const CLIENTS = 20

/** What only this process has, with what the kernel holds of it swapped or not; shared pages come and go by themselves. */
async function privateBytes(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  return [...rollup.matchAll(/^(?:Private_\w+|Swap):\s+(\d+) kB/gm)].reduce((sum, [, kilobytes]) => sum + Number(kilobytes) * 1024, 0)
}

/** The primary and the worker that forwards, warm, and what they hold more than now. (What has passed through leaves garbage, which is not held.) */
async function watch(fleet: Fleet, { acceptor, cookie }: Foreign): Promise<() => Promise<number[]>> {
  for (let i = 0; i < 200; i++) await ask({ port: fleet.station.port, path: '/warm', headers: { cookie } })
  const pids = [fleet.station.pid, await fleet.pidOf(acceptor)]
  const before = await Promise.all(pids.map(privateBytes))
  return async () => (await Promise.all(pids.map(privateBytes))).map((bytes, index) => bytes - (before[index] as number))
}

/** Clients that one worker has accepted, and whose requests all belong to the other one. */
async function foreigners(fleet: Fleet): Promise<{ readonly some: readonly Foreign[]; readonly close: () => void }> {
  const all: Foreign[] = []
  for (;;) {
    all.push(await fleet.foreign())
    const some = all.filter(({ acceptor }) => acceptor === all.at(-1)?.acceptor)
    if (some.length === CLIENTS) return { some, close: () => all.forEach(({ client }) => client.socket.destroy()) }
  }
}

/** How many megabytes a process has read from whatever it reads. */
async function megabytesRead(pid: number): Promise<number> {
  const [, bytes] = /^rchar: (\d+)/.exec(await readFile(`/proc/${pid}/io`, 'utf8')) ?? []
  return Math.floor(Number(bytes) / 1_000_000)
}

/** Until nothing moves any more: everybody who can hold something back does. */
async function stopsGrowing(what: string, count: () => number | Promise<number>): Promise<void> {
  let [last, stillFor] = [-1, 0]
  await until(`${what} to stop`, async () => {
    const now = await count()
    stillFor = now === last ? stillFor + 1 : 0
    last = now
    return stillFor >= 25
  })
}

describe('300 MB, forwarded', () => {
  it('wait where they are when the client does not read', async ({ stage }) => {
    const fleet = await Fleet.open(stage)
    const foreign = await fleet.foreign()
    const grown = await watch(fleet, foreign)
    const { socket } = foreign.client
    socket.setEncoding().pause()
    let received = 0
    foreign.client.say(`GET /download HTTP/1.1\r\nHost: x\r\nX-Bytes: ${BYTES}\r\nCookie: ${foreign.cookie}\r\n\r\n`)
    await fleet.ran(`${foreign.owner} GET /download`)
    const pid = await fleet.pidOf(foreign.acceptor)
    await stopsGrowing('the download', () => megabytesRead(pid))
    expect(Math.max(...(await grown()))).toBeLessThan(MORE_AT_MOST_BYTES)
    socket.removeAllListeners('data').on('data', (chunk: Buffer | string) => {
      received += chunk.length
    })
    socket.resume()
    await until('the rest', () => received > BYTES, { boundMs: 40_000, instead: () => `${received} bytes` })
    socket.destroy()
  })

  it('are held for many clients of one worker by less than 1 MB each', async ({ stage }) => {
    const fleet = await Fleet.open(stage)
    const { some, close } = await foreigners(fleet)
    const grown = await watch(fleet, some[0] as Foreign)
    const own = { cookie: `sid=${fleet.sids.get(some[0]?.acceptor ?? '')}` }
    const held = async (): Promise<number> => Number((await ask({ port: fleet.station.port, path: '/held', headers: own })).body)
    const before = await held()
    for (const { client, cookie } of some) {
      client.socket.pause()
      client.say(`GET /download HTTP/1.1\r\nHost: x\r\nX-Bytes: ${BYTES}\r\nCookie: ${cookie}\r\n\r\n`)
    }
    const started = async (): Promise<number> => (await fleet.runs()).filter((line) => line === `${some[0]?.owner} GET /download`).length
    await until('all downloads', async () => (await started()) === CLIENTS)
    const pid = await fleet.pidOf(some[0]?.acceptor ?? '')
    await stopsGrowing('the downloads', () => megabytesRead(pid))
    const [primary = 0] = await grown()
    expect(primary).toBeLessThan(MORE_AT_MOST_BYTES)
    await until('less than 1 MB for each', async () => primary + (await held()) - before < MORE_AT_MOST_BYTES)
    close()
  })

  it('wait at the owner when it says them into an upgrade that is carried byte by byte, and the client does not read', async ({ stage }) => {
    const fleet = await Fleet.open(stage)
    const foreign = await fleet.foreign()
    const grown = await watch(fleet, foreign)
    const { socket } = foreign.client
    socket.setEncoding().pause()
    // What comes right behind the handshake keeps the connection from changing hands.
    socket.write(Buffer.concat([Buffer.from(handshake(foreign.cookie)), frame(Buffer.from('flood'))]))
    const pid = await fleet.pidOf(foreign.acceptor)
    await until('the flood to fill the client', () => socket.bytesRead > 0)
    await stopsGrowing('the flood', () => megabytesRead(pid))
    expect(Math.max(...(await grown()))).toBeLessThan(MORE_AT_MOST_BYTES)
    let received = 0
    socket.removeAllListeners('data').on('data', (chunk: Buffer | string) => {
      received += chunk.length
    })
    socket.resume()
    await until('the rest', () => received > BYTES, { boundMs: 40_000, instead: () => `${received} bytes` })
    expect((await fleet.station.until('the status', (status) => status)).workers.find(({ pid: each }) => each === pid)?.connections).toBe(1)
    socket.destroy()
  })

  it('wait at the client when the owner’s event loop is blocked', async ({ stage }) => {
    const fleet = await Fleet.open(stage)
    const foreign = await fleet.foreign()
    const grown = await watch(fleet, foreign)
    const pid = await fleet.pidOf(foreign.owner)
    const { client, cookie } = foreign
    client.say(`POST /upload HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\nContent-Length: ${BYTES}\r\n\r\n`)
    await fleet.ran(`${foreign.owner} POST /upload`)
    process.kill(pid, 'SIGSTOP')
    try {
      const sent = pour(client.socket)
      await stopsGrowing('the upload', sent)
      expect(sent()).toBeLessThan(BYTES / 4)
      expect(Math.max(...(await grown()))).toBeLessThan(MORE_AT_MOST_BYTES)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await within('the end of the upload', client.hears(`"bytes":${BYTES}`), { boundMs: 40_000 })
    client.socket.destroy()
  })
})

/** Sends all of it, as fast as it is taken; tells how much was. */
function pour(socket: net.Socket): () => number {
  const chunk = Buffer.alloc(100_000, 'u')
  let sent = 0
  const more = (): void => {
    while (sent < BYTES) {
      sent += chunk.length
      if (!socket.write(chunk)) return void socket.once('drain', more)
    }
  }
  more()
  return () => sent
}
