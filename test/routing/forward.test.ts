import http from 'node:http'
import net from 'node:net'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { forwardRequest } from '../../packages/supervisor/src/worker/forward.ts'
import { wayThrough } from '../../packages/supervisor/src/worker/way.ts'
import { ask } from './harness/ask.ts'

/** What an owner does with the n-th head that it reads, counted over all its connections. */
type Script = (head: string, socket: net.Socket, heads: number) => void

interface Forwarder {
  readonly port: number
  /** Heads that reached the owner. */
  readonly heads: string[]
  readonly owner: net.Server
}

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nowner'
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'

/** A server that forwards every request to an owner that follows the script; what is left to it, it answers with `here`. */
async function forwarder(script: Script, isRepeatable = false): Promise<Forwarder> {
  const folder = await mkdtemp(path.join(tmpdir(), 'forward-'))
  const socketPath = path.join(folder, 'owner.sock')
  const heads: string[] = []
  const sockets = new Set<net.Socket>()
  const owner = net.createServer((socket) => {
    sockets.add(socket)
    let text = ''
    socket
      .on('error', () => {})
      .on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1')
        for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
          const head = text.slice(0, end)
          text = text.slice(end + 4)
          heads.push(head)
          script(head, socket, heads.length)
        }
      })
  })
  const server = http.createServer((request, response) => {
    const here = (): void => {
      let body = ''
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString()
      })
      request.on('end', () => response.end(`here ${body}`))
    }
    forwardRequest(request, response, { way: wayThrough(socketPath), describe: () => 'note', isRepeatable, clientWaits: false, onGone: here })
  })
  await new Promise<void>((resolve) => owner.listen(socketPath, resolve))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.close()
    server.closeAllConnections()
    owner.close()
    for (const socket of sockets) socket.destroy()
    await rm(folder, { recursive: true })
  })
  return { port: (server.address() as net.AddressInfo).port, heads, owner }
}

/** Two requests on one connection of the client, and so of the owner's. */
async function twoOf(method: string, port: number): Promise<[number, string][]> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  const answers: [number, string][] = []
  for (let i = 0; i < 2; i++) {
    const { status, body } = await ask({ port, path: `/${i}`, method, agent }, method === 'GET' ? undefined : Buffer.from('the body'))
    answers.push([status, body.toString()])
  }
  return answers
}

const answers: Script = (head, socket) => void socket.write(head.includes('GET') ? ANSWER : CONTINUE + ANSWER)

describe('a request for another worker', () => {
  test.each(['GET', 'POST', 'DELETE'])('is said again on a new connection if the kept one was just being closed: %s', async (method) => {
    const { port, heads } = await forwarder((head, socket, count) => (count === 2 ? socket.destroy() : answers(head, socket, count)))
    const [first, second] = await twoOf(method, port)
    expect([first, second?.[0]]).toEqual([[200, 'owner'], 200])
    expect(heads.map((head) => /\/\d/.exec(head)?.[0])).toEqual(['/0', '/1', '/1'])
  })

  test.each(['POST', 'DELETE'])('is answered by whoever has it if the owner went before it took it: %s', async (method) => {
    const { port } = await forwarder((_head, socket) => socket.destroy())
    expect(await twoOf(method, port)).toEqual(Array.from({ length: 2 }, () => [200, 'here the body']))
  })

  test.each(['GET', 'POST', 'DELETE'])('is answered by whoever has it if there is no owner: %s', async (method) => {
    const { port, owner } = await forwarder(answers)
    owner.close()
    expect(await twoOf(method, port)).toEqual(Array.from({ length: 2 }, () => [200, method === 'GET' ? 'here ' : 'here the body']))
  })

  test('does not bring down a second worker if its owner ended over it', async () => {
    const { port, heads } = await forwarder((_head, socket) => socket.destroy())
    expect(await ask({ port, path: '/deadly' })).toMatchObject({ status: 502 })
    expect(heads).toHaveLength(1)
  })

  test('is done by nobody else once its owner has taken it and is gone', async () => {
    const { port, heads } = await forwarder((_head, socket) => void socket.write(CONTINUE, () => socket.destroy()))
    const [first] = await twoOf('POST', port)
    expect(first?.[0]).toBe(502)
    expect(heads.filter((head) => head.includes('/0'))).toHaveLength(1)
  })

  test('does not wait for consent where a second try does no harm', async () => {
    const { port, heads } = await forwarder((_head, socket) => void socket.write(ANSWER), true)
    const [first] = await twoOf('POST', port)
    expect([first, heads.length]).toEqual([[200, 'owner'], 2])
  })

  test('goes nowhere else when its client has left', async () => {
    const gone = Promise.withResolvers<void>()
    const reached = Promise.withResolvers<void>()
    const { port, heads } = await forwarder((head, socket, count) => {
      if (head.includes('/next')) return answers(head, socket, count)
      socket.on('close', () => gone.resolve())
      reached.resolve()
    })
    const request = http.get({ port, host: '127.0.0.1', path: '/left', agent: false }).on('error', () => {})
    await reached.promise
    request.destroy()
    await gone.promise
    expect((await ask({ port, path: '/next' })).body.toString()).toBe('owner')
    expect(heads.filter((head) => head.includes('/left'))).toHaveLength(1)
  })
})
