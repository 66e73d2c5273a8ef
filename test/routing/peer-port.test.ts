import { startRedis } from 'example-app/services'
import { once } from 'node:events'
import net from 'node:net'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { dial } from '../../packages/supervisor/src/worker/dial.ts'
import { Peers } from '../../packages/supervisor/src/worker/peers.ts'
import { it, type Stage } from '../processes/harness.ts'
import { until, within } from '../processes/harness/until.ts'
import { ask } from './harness/ask.ts'
import { allReady, launchReplica, type Replica, SECRET } from './harness/replicas.ts'

let redis: Awaited<ReturnType<typeof startRedis>>
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(async () => {
  await redis.stop()
})

/** Someone who knows the secret, or thinks so. */
const peer = (secret: string): Peers => new Peers({ tag: 'someone', secret, listen: { host: '127.0.0.1', port: 0 } })

async function start(stage: Stage): Promise<Replica> {
  const replica = await launchReplica(stage, { redisUrl: redis.url })
  await allReady(replica)
  return replica
}

async function ownerOf({ station }: Replica): Promise<{ sid: string; replica: string; workerId: number }> {
  const { body } = await ask({ port: station.port, path: '/socket.io/?EIO=4&transport=polling' })
  const sid = /"sid":"([\w.-]+)"/.exec(body.toString())?.[1] as string
  const owner = peer(SECRET).sessionIds.ownerOf(sid)
  return { sid, replica: owner?.replica as string, workerId: owner?.workerId as number }
}

function connect(port: number): net.Socket {
  return net.connect(port, '127.0.0.1').on('error', () => {})
}

/** Everything that comes before the end. */
async function heardUntilClosed(what: string, socket: net.Socket): Promise<string> {
  let heard = ''
  socket.on('data', (chunk: Buffer) => {
    heard += chunk.toString('latin1')
  })
  socket.on('error', () => {})
  await within(`the end of ${what}`, new Promise((resolve) => socket.once('close', resolve)))
  return heard
}

describe('the port for other replicas', () => {
  it('is closed to everybody who does not have the secret, whatever they say, and open to who has', async ({ stage }) => {
    const replica = await start(stage)
    const { sid, ...place } = await ownerOf(replica)
    const [friend, foe] = [peer(SECRET), peer('another secret, just as long as the true one')]
    const port = replica.peerPort
    const says: Record<string, string | Buffer> = {
      'a request of HTTP': 'GET /secret HTTP/1.1\r\nHost: x\r\n\r\n',
      'a knock with another secret': `${foe.knocks.make(place)}\n`,
      'a session id of its own as a knock': `${sid}\n`,
      'a knock for another replica': `${friend.knocks.make({ ...place, replica: 'other' })}\n`,
      'a knock for a worker that does not exist': `${friend.knocks.make({ ...place, workerId: 4711 })}\n`,
      'a line without an end': 'x'.repeat(1_000_000),
      zeros: Buffer.alloc(1000),
      'a handshake without a knock': Buffer.from('16030100a5010000a10303', 'hex'),
      'HTTP behind a knock': `${friend.knocks.make(place)}\nGET /secret HTTP/1.1\r\nHost: x\r\n\r\n`,
    }
    for (const [what, bytes] of Object.entries(says)) {
      const socket = connect(port)
      socket.write(bytes)
      const heard = await heardUntilClosed(what, socket)
      // TLS may say in its own words that it did not understand.
      expect([what, heard]).toEqual([what, expect.not.stringContaining('HTTP')])
    }

    // Whoever has seen a knock on its way can repeat it, but not what comes then.
    const knock = friend.knocks.make(place)
    const called = dial({ host: '127.0.0.1', port, allowHalfOpen: false, knock, key: friend.tlsKey })
    await within('the handshake', once(called, 'secureConnect'))
    // A key of its own for each connection: a secret that leaks later opens none that was recorded.
    expect((called as TLSSocket).getEphemeralKeyInfo()).toMatchObject({ type: 'ECDH' })
    const repeated = dial({ host: '127.0.0.1', port, allowHalfOpen: false, knock, key: foe.tlsKey })
    const [error] = await within('a refusal', once(repeated, 'error'))
    expect((error as Error).message).toMatch(/mac|handshake|alert/i)

    // Even who has the secret says first whose connection it is.
    called.write('GET /secret HTTP/1.1\r\nHost: x\r\n\r\n')
    expect(await heardUntilClosed('a connection without a note', called)).toBe('')
    const long = dial({ host: '127.0.0.1', port, allowHalfOpen: false, knock: friend.knocks.make(place), key: friend.tlsKey })
    await within('the handshake', once(long, 'secureConnect'))
    long.on('error', () => {}).write('n'.repeat(100_000))
    expect(await heardUntilClosed('a connection with an endless note', long)).toBe('')

    const { status } = await ask({ port: replica.station.port, path: `/socket.io/?EIO=4&transport=polling&sid=${sid}` })
    expect(status).toBe(200)
  })

  it('does not let those who say nothing keep others out', async ({ stage }) => {
    const replica = await start(stage)
    const { sid: _sid, ...place } = await ownerOf(replica)
    const silent = Array.from({ length: 600 }, () => connect(replica.peerPort))
    const friend = peer(SECRET)
    try {
      await until('too many are there', () => silent.some(({ destroyed, readableEnded }) => destroyed || readableEnded), { boundMs: 30_000 })
      const called = dial({ host: '127.0.0.1', port: replica.peerPort, allowHalfOpen: false, knock: friend.knocks.make(place), key: friend.tlsKey })
      await within('the handshake', once(called, 'secureConnect'))
      called.destroy()
      // None of them has to go by itself.
      await until('all are gone', () => silent.every(({ destroyed }) => destroyed), { boundMs: 30_000 })
    } finally {
      for (const socket of silent) socket.destroy()
    }
  })

  it('speaks of a peer with another secret, in one sentence that says what to do', async ({ stage }) => {
    const first = await launchReplica(stage, { redisUrl: redis.url })
    const other = 'another secret, just as long as the true one'
    const second = await launchReplica(stage, { redisUrl: redis.url, env: { STATIONMASTER_REPLICA_SECRET: other } })
    await Promise.all([first, second].map((replica) => allReady(replica)))
    for (const [{ station }, { peerPort }] of [
      [first, second],
      [second, first],
    ] as const)
      await until('it is told', () => station.stderr.includes(`the replica at 127.0.0.1:${peerPort} refuses what this one forwards`), {
        boundMs: 40_000,
        instead: () => station.stderr,
      })
    // To each the other's sessions are unknown, and so they are to a server without stationmaster.
    const { sid } = await ownerOf(first)
    const { status, body } = await ask({ port: second.station.port, path: `/socket.io/?EIO=4&transport=polling&sid=${sid}` })
    expect([status, body.toString()]).toEqual([400, '{"code":1,"message":"Session ID unknown"}'])
    for (const { station } of [first, second]) for (const secret of [SECRET, other]) expect(station.stdout + station.stderr).not.toContain(secret)
  })

  it('is not there where nobody asked for it', async ({ stage }) => {
    const replica = await launchReplica(stage, { redisUrl: redis.url, config: { replica: {} } })
    await allReady(replica)
    const socket = net.connect(replica.peerPort, '127.0.0.1')
    const [error] = await within('a refusal', once(socket, 'error'))
    expect((error as NodeJS.ErrnoException).code).toBe('ECONNREFUSED')
    const { body } = await ask({ port: replica.station.port, path: '/socket.io/?EIO=4&transport=polling' })
    expect(body.toString()).toMatch(/"sid":"\d+-[\w-]+"/)
  })
})
