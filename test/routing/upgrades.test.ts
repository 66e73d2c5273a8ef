import { randomBytes } from 'node:crypto'
import { describe, expect } from 'vitest'
import type { Status } from '../../packages/supervisor/src/fleet/status.ts'
import { it } from '../processes/harness.ts'
import { until, within } from '../processes/harness/until.ts'
import { Fleet } from './harness/fleet.ts'
import { frame, handshake, payloadsHeard } from './harness/frames.ts'
import { isRead } from './harness/kernel-queues.ts'

describe('WebSocket frames right behind the handshake', () => {
  it('reach the owner whole, wherever the bytes are cut', async ({ stage }) => {
    const fleet = await Fleet.open(stage)
    for (let cut = -12; cut <= 12; cut += 2) {
      const { client, cookie, owner } = await fleet.foreign()
      const payloads = [Buffer.from('first'), randomBytes(40_000), Buffer.from('last')]
      const head = Buffer.from(handshake(cookie))
      const bytes = Buffer.concat([head, ...payloads.map(frame)])
      client.socket.write(bytes.subarray(0, head.length + cut))
      // The rest is on its way while the connection changes hands.
      setImmediate(() => client.socket.write(bytes.subarray(head.length + cut)))
      const heard = async (): Promise<Buffer[]> => {
        await client.hears('last')
        return payloadsHeard(client.heard)
      }
      const [worker, ...echoes] = await within(`the echoes, cut at ${cut}`, heard())
      expect([worker?.toString(), echoes.length]).toEqual([owner, 3])
      expect(echoes.map((echo, index) => echo.equals(payloads[index] as Buffer))).toEqual([true, true, true])
      client.socket.destroy()
    }
  })

  it('are served by whoever accepted them if the owner is gone before it took the connection', async ({ stage }) => {
    const fleet = await Fleet.open(stage, { config: { health: { stuckAfter: '1s' } } })
    const { client, cookie, owner, acceptor } = await fleet.foreign()
    const pid = await fleet.pidOf(owner)
    // It is given the connection, but takes nothing any more.
    process.kill(pid, 'SIGSTOP')
    client.say(handshake(cookie))
    // With bytes behind it, a connection does not change hands.
    await isRead(client.socket)
    client.socket.write(frame(Buffer.from('early')))
    await fleet.station.until('it is replaced', ({ workers }) => workers.every(({ id }) => String(id) !== owner), 30_000)
    await within('the echo', client.hears('early'), { instead: () => client.heard })
    expect(client.heard).toMatch(/^HTTP\/1.1 101/)
    const [worker] = payloadsHeard(client.heard)
    expect(worker?.toString()).toBe(acceptor)
    client.socket.destroy()
  })
  it('reach the owner after whoever accepted the connection was killed: it has the socket itself', async ({ stage }) => {
    const fleet = await Fleet.open(stage)
    const { client, cookie, owner, acceptor } = await fleet.foreign()
    client.say(handshake(cookie))
    await until('the greeting of the owner', () => payloadsHeard(client.heard)[0]?.toString() === owner)
    process.kill(await fleet.pidOf(acceptor), 'SIGKILL')
    const isBack = ({ workers }: Status): boolean =>
      workers.length === 2 && workers.every(({ id, state }) => String(id) !== acceptor && state === 'ready')
    await fleet.station.until('it is replaced', isBack)
    client.socket.write(frame(Buffer.from('still here')))
    await within('the echo', client.hears('still here'))
    const [worker] = payloadsHeard(client.heard)
    expect(worker?.toString()).toBe(owner)
    client.socket.destroy()
  })
})
