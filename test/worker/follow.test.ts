import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import type { Channel } from '../../packages/supervisor/src/worker/channel.ts'
import { Connection } from '../../packages/supervisor/src/worker/connection.ts'
import { Follow } from '../../packages/supervisor/src/worker/follow.ts'
import { createHandOver } from '../../packages/supervisor/src/worker/hand-over.ts'
import { get } from './harness.ts'

const OWNER = 7
const MANY = 40

/** A server whose requests all belong to another worker, which takes no connection. */
async function ask(
  times: number,
  takes: boolean,
): Promise<{ readonly offers: number; readonly sockets: number; readonly answers: readonly string[] }> {
  let offers = 0
  const refuse = (_message: unknown, _handle: object, onFailed: () => void): void => {
    offers++
    setImmediate(onFailed)
  }
  const handOver = createHandOver({ sendHandle: refuse } as unknown as Channel)
  const connections = new Map<unknown, Connection>()
  const follow = new Follow({
    connectionOf: (socket) => connections.get(socket),
    takes: () => takes,
    serves: () => true,
    give: (owner, { socket }, onRefused) => handOver.give({ owner, server: 0 }, '', socket, onRefused),
  })
  const server = http.createServer((request, response) => {
    ;(connections.get(request.socket) as Connection).requests++
    follow.note(OWNER, request, response)
    response.end('answered')
  })
  server.on('connection', (socket) => connections.set(socket, new Connection(socket)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const answers: string[] = []
  const { port } = server.address() as AddressInfo
  while (answers.length < times) answers.push((await get(port, '/', { agent })).body)
  agent.destroy()
  await new Promise((resolve) => server.close(resolve))
  return { offers, sockets: connections.size, answers }
}

test('a connection that nobody takes is answered where it was, and offered again after as many requests', async () => {
  const { offers, sockets, answers } = await ask(MANY, true)
  expect(answers).toEqual(Array.from({ length: MANY }, () => 'answered'))
  expect(sockets).toBe(1)
  expect(offers).toBeGreaterThan(0)
  expect(offers).toBeLessThanOrEqual(MANY / 8)
})

test('it is not offered to a worker that takes nobody, nor before it has shown whose it is', async () => {
  expect((await ask(MANY, false)).offers).toBe(0)
  expect((await ask(7, true)).offers).toBe(0)
})
