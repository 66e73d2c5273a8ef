import { once } from 'node:events'
import net from 'node:net'
import { describe, expect } from 'vitest'
import { it } from './harness.ts'
import type { Station } from './harness/station.ts'
import { until } from './harness/until.ts'

describe('long-lived connections', () => {
  it('are even over the workers, and a newcomer catches up', async ({ stage }) => {
    const station = await stage.start({ app: 'plain' })
    const sockets: net.Socket[] = []
    try {
      // A few at a time: on a starved machine the fleet hears of them late.
      const more = async (): Promise<number[]> => {
        for (let index = 0; index < 20; index++) sockets.push(await connect(station))
        return await countsOf(station, sockets.length)
      }
      let counts: number[] = []
      while (sockets.length < 300) counts = await more()
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(40)
      await station.control.scale(3)
      let after: number[] = []
      while (sockets.length < 400) after = await more()
      expect(after).toHaveLength(3)
      expect(Math.min(...after)).toBeGreaterThanOrEqual(60)
    } finally {
      for (const socket of sockets) socket.destroy()
    }
  })

  it('of which one worker has none, do not make anybody wait for it while it is stopped', async ({ stage }) => {
    const station = await stage.start({ app: 'plain', config: { health: { stuckAfter: '60s' } } })
    const [first, second] = (await station.running(2)).map(({ pid }) => String(pid)) as [string, string]
    const sockets: net.Socket[] = []
    try {
      const pids: string[] = []
      while (pids.filter((pid) => pid === first).length < 40) {
        const socket = await connect(station)
        sockets.push(socket)
        pids.push(await pidBehind(socket))
      }
      for (const [index, pid] of pids.entries()) if (pid === second) sockets[index]?.destroy()
      await station.until('no connection on one worker', ({ workers }) => workers.find(({ pid }) => String(pid) === second)?.connections === 0)
      expect(await station.get()).toBe(second)
      process.kill(Number(second), 'SIGSTOP')
      // Within the kernel one connection may have been given to it already.
      const answers = await Promise.allSettled(Array.from({ length: 20 }, () => station.get('/', { timeout: 5000 })))
      process.kill(Number(second), 'SIGCONT')
      const served = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
      expect(served.filter((pid) => pid === first).length).toBeGreaterThanOrEqual(19)
      // It answers again, and still has fewer connections than anybody: it is the next again.
      await until('it is back in the round', async () => (await station.get()) === second)
      expect(await station.status()).toMatchObject({ restarts: { total: 0 } })
    } finally {
      for (const socket of sockets) socket.destroy()
    }
  })
})

async function connect({ port }: Station): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

async function pidBehind(socket: net.Socket): Promise<string> {
  let heard = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    heard += text
  })
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await until('an answer', () => /\r\n\r\n\d+/.test(heard))
  return /\r\n\r\n(\d+)/.exec(heard)?.[1] as string
}

async function countsOf(station: Station, total: number): Promise<number[]> {
  return await station.until(`${total} connections in the reports`, ({ workers }) => {
    const counts = workers.map(({ connections }) => connections ?? 0)
    return counts.reduce((sum, count) => sum + count, 0) === total && counts
  })
}
