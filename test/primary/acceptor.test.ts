import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Acceptor, createAcceptor } from '../../packages/supervisor/src/primary/acceptor.ts'
import { sharedSocketsWork } from '../../packages/supervisor/src/primary/self-test.ts'
import type { ListenRequest } from '../../packages/supervisor/src/wire/messages.ts'

const request = (fields: Partial<ListenRequest>): ListenRequest => ({
  kind: 'listen',
  requestId: 1,
  port: 0,
  host: '127.0.0.1',
  path: null,
  fd: null,
  ipv6Only: false,
  turn: 0,
  ...fields,
})

let acceptor: Acceptor
let folder: string

beforeEach(() => {
  // An orphan that gives its port back is not awaited here.
  acceptor = createAcceptor(0)
  folder = mkdtempSync(path.join(tmpdir(), 'acceptor-'))
})

afterEach(() => {
  acceptor.close()
  rmSync(folder, { recursive: true })
})

describe('the acceptor', () => {
  test('gives the same request the same socket, and another turn another one', async () => {
    const [one, same, other] = await Promise.all([acceptor.open(request({})), acceptor.open(request({})), acceptor.open(request({ turn: 1 }))])
    expect(one.handle).not.toBeNull()
    expect(same.handle).toBe(one.handle)
    expect(other.handle).not.toBe(one.handle)
    expect(new Set(acceptor.addresses()).size).toBe(2)
  })

  test('names who holds a port that is taken', async () => {
    const holder = net.createServer().listen(0, '127.0.0.1')
    await once(holder, 'listening')
    const { port } = holder.address() as net.AddressInfo
    const { error } = await acceptor.open(request({ port }))
    holder.close()
    expect(error?.code).toBe('EADDRINUSE')
    expect(error?.message).toContain(`Cannot listen on port ${port} on 127.0.0.1: it is in use by`)
    expect(error?.message).toContain(`(pid ${process.pid})`)
  })

  test('tries a port again that could not be had before', async () => {
    const holder = net.createServer().listen(0, '127.0.0.1')
    await once(holder, 'listening')
    const { port } = holder.address() as net.AddressInfo
    expect((await acceptor.open(request({ port }))).error).not.toBeNull()
    holder.close()
    await once(holder, 'close')
    expect((await acceptor.open(request({ port }))).error).toBeNull()
  })

  test('takes over a Unix socket that nobody listens on, and leaves a live one alone', async () => {
    const file = path.join(folder, 'app.sock')
    const first = await acceptor.open(request({ port: null, host: null, path: file }))
    expect(first.error).toBeNull()
    expect(acceptor.addresses()).toEqual([file])
    const live = net.createServer().listen(path.join(folder, 'live.sock'))
    await once(live, 'listening')
    const refused = await acceptor.open(request({ port: null, host: null, path: path.join(folder, 'live.sock') }))
    live.close()
    expect(refused.error?.code).toBe('EADDRINUSE')
    expect(existsSync(file)).toBe(true)
  })

  test('says in one sentence why an address cannot be had', async () => {
    const { error } = await acceptor.open(request({ host: '203.0.113.7' }))
    expect(error?.message).toBe(
      'Cannot listen on port 0 on 203.0.113.7: this machine does not have that address. Leave the host out to listen on all.',
    )
  })
})

test('sockets of the primary work on this Node', async () => {
  expect(await sharedSocketsWork()).toBe(true)
})
