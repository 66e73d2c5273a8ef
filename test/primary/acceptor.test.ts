import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
  isDealt: false,
  turn: 0,
  ...fields,
})

const LONGER_THAN_ANY_TEST_MS = 3_600_000

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

  test('takes nothing from an owner that has its Unix socket but does not listen on it yet', async () => {
    const file = path.join(folder, 'app.sock')
    const owner = await acceptor.open(request({ port: null, host: null, path: file }))
    expect(owner.error).toBeNull()
    const other = createAcceptor(0)
    const { error } = await other.open(request({ port: null, host: null, path: file }))
    other.close()
    expect(error?.message).toContain(`Cannot listen on ${file}: it is in use by`)
    expect(error?.message).toContain(`(pid ${process.pid}). End that process, or choose another path.`)
    expect(existsSync(file)).toBe(true)
  })

  test('takes the place of a socket whose process was killed', async () => {
    const file = path.join(folder, 'app.sock')
    const source = `require('node:net').createServer().listen(${JSON.stringify(file)}, () => console.log('listening'))`
    const killed = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(killed.stdout, 'data')
    killed.kill('SIGKILL')
    await once(killed, 'exit')
    expect(existsSync(file)).toBe(true)
    expect((await acceptor.open(request({ port: null, host: null, path: file }))).error).toBeNull()
  })

  test('leaves a file that is no socket as it is', async () => {
    const file = path.join(folder, 'precious')
    writeFileSync(file, 'data')
    const { error } = await acceptor.open(request({ port: null, host: null, path: file }))
    expect(error?.message).toBe(`Cannot listen on ${file}: something that is no socket is there. Remove it, or choose another path.`)
    expect(readFileSync(file, 'utf8')).toBe('data')
  })

  test('waits no longer for a place that is taken when it is closed', async () => {
    const holder = net.createServer().listen(0, '127.0.0.1')
    await once(holder, 'listening')
    const patient = createAcceptor(LONGER_THAN_ANY_TEST_MS)
    const opened = patient.open(request({ port: (holder.address() as net.AddressInfo).port }))
    patient.close()
    expect((await opened).error?.code).toBe('ECANCELED')
    holder.close()
  })

  test.each([
    ['a'.repeat(120), / a Unix socket's path may have 107 bytes, this one has \d+\. Choose a shorter one, such as one in \/tmp\.$/],
    ['no/such/app.sock', /: the folder .*no\/such does not exist\. Make it first, or choose another path\.$/],
  ])('says in one sentence why the path %s cannot be had', async (name, sentence) => {
    const { error } = await acceptor.open(request({ port: null, host: null, path: path.join(folder, name) }))
    expect(error?.message).toMatch(sentence)
  })

  test('says so when a descriptor is no socket', async () => {
    const file = openSync(path.join(folder, 'file'), 'w')
    const { error } = await acceptor.open(request({ port: null, host: null, fd: file }))
    closeSync(file)
    expect(error?.message).toBe(`Cannot listen on file descriptor ${file}: it is no socket. Listen on a port, or pass one that is.`)
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
