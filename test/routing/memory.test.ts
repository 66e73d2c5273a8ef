import { readFile } from 'node:fs/promises'
import net from 'node:net'
import { describe, expect } from 'vitest'
import { it } from '../processes/harness.ts'
import { until, within } from '../processes/harness/until.ts'
import { ask } from './harness/ask.ts'
import { Fleet, type Foreign } from './harness/fleet.ts'

const BYTES = 300_000_000
const MORE_AT_MOST_BYTES = 20_000_000

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

/** Until nothing moves any more: everybody who can hold something back does. */
async function stopsGrowing(what: string, count: () => number): Promise<void> {
  let [last, stillFor] = [-1, 0]
  await until(`${what} to stop`, () => {
    stillFor = count() === last ? stillFor + 1 : 0
    last = count()
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
    await stopsGrowing('the download', () => socket.bytesRead)
    expect(Math.max(...(await grown()))).toBeLessThan(MORE_AT_MOST_BYTES)
    socket.removeAllListeners('data').on('data', (chunk: Buffer | string) => {
      received += chunk.length
    })
    socket.resume()
    await until('the rest', () => received > BYTES, { boundMs: 40_000, instead: () => `${received} bytes` })
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
