import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, expectTypeOf } from 'vitest'
import { StationmasterError } from '../../packages/supervisor/src/errors.ts'
import type { Status } from '../../packages/supervisor/src/fleet/status.ts'
import { connectControl } from '../../packages/supervisor/src/operator/control-client.ts'
import { decision, status } from './fake-control.ts'
import { it } from './harness.ts'

it('asks all there is to ask', async ({ world }) => {
  await world.open()
  const control = connectControl(world.path)
  expect(await control.status()).toEqual(status)
  expectTypeOf(control.status()).resolves.toEqualTypeOf<Status>()
  expect(await control.decisions(1)).toEqual([decision])
  expect(await control.decisions()).toHaveLength(2)
  expect(await control.explain()).toEqual(decision)
  expect(await Readable.from(control.recording()).toArray()).toEqual(world.control.recorded)
  expect(await control.scale(3)).toBe('3 workers are ready')
  expect(await control.scale('auto')).toBe('auto workers are ready')
  expect(await control.reload()).toContain('generation 2')
  expect(await control.drain(7)).toBe('worker 7 is draining')
  expect(await control.setBudget(40)).toBe('the budget is 40 connections now')
  expect(world.control.asked).toEqual(['scale 3', 'scale auto', 'reload', 'drain 7', 'budget 40'])
})

it('a recording comes whole however long it is, and a reader that has enough may leave', async ({ world }) => {
  await world.open()
  world.control.recorded = Array.from({ length: 5000 }, (_, nowMs) => JSON.stringify({ kind: 'woken', nowMs, text: 'ä'.repeat(500) }))
  expect(await Readable.from(connectControl(world.path).recording()).toArray()).toEqual(world.control.recorded)
  for await (const line of connectControl(world.path).recording()) {
    expect(line).toBe(world.control.recorded[0])
    break
  }
})

it("rejects with the supervisor's own code, fault and sentence", async ({ world }) => {
  await world.open()
  world.control.refuse = new StationmasterError('SM_RELOAD_FAILED', 'application', 'Generation 2 did not come up.')
  const failure = await connectControl(world.path)
    .reload()
    .catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(StationmasterError)
  expect(failure).toMatchObject({ code: 'SM_RELOAD_FAILED', fault: 'application', message: 'Generation 2 did not come up.' })
  await expect(connectControl(world.path).decisions(0)).rejects.toMatchObject({ code: 'SM_REQUEST_INVALID', fault: 'option' })
})

it('tells that the supervisor went away in the middle', async ({ world }) => {
  const server = await world.open()
  const held = Promise.withResolvers<void>()
  world.control.hold = held.promise
  const failure = expect(connectControl(world.path).reload()).rejects.toMatchObject({
    code: 'SM_NO_SUPERVISOR',
    message: expect.stringContaining('went away'),
  })
  await world.control.wasAsked('reload')
  await server.close()
  await failure
  held.resolve()
})

it('gives up reading from a supervisor that says nothing, or stops after the head', async ({ world }) => {
  const held = new Set<net.Socket>()
  const freeze = (said: string) =>
    net.createServer((socket) => {
      held.add(socket.on('error', () => {}))
      socket.write(said)
    })
  const frozen = ['', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"version":1'].map(freeze)
  const paths = frozen.map((_, index) => path.join(world.folder, `${index}.sock`))
  await Promise.all(frozen.map((server, index) => once(server.listen(paths[index]), 'listening')))
  const silent = { code: 'SM_NO_SUPERVISOR', message: expect.stringContaining('does not answer (waited') }
  await Promise.all(paths.map((file) => expect(connectControl(file).status()).rejects.toMatchObject(silent)))
  for (const socket of held) socket.destroy()
  await Promise.all(frozen.map((server) => new Promise((resolve) => server.close(resolve))))
})

it('takes no answer that grows without end', async ({ world }) => {
  const other = http.createServer((_, response) => {
    const more = () => {
      while (response.write('x'.repeat(65_536)));
    }
    response.on('drain', more)
    more()
  })
  await once(other.listen(world.path), 'listening')
  await expect(connectControl(world.path).status()).rejects.toMatchObject({ code: 'SM_NO_SUPERVISOR' })
  await new Promise((resolve) => other.close(resolve))
})

describe('nobody to talk to', () => {
  it('no socket, no folder, no socket but a file', async ({ world }) => {
    const file = path.join(world.folder, 'file')
    await writeFile(file, '')
    for (const where of [world.path, path.join(world.folder, 'none', 'control.sock'), path.join(file, 'control.sock'), file]) {
      await expect(connectControl(where).status()).rejects.toMatchObject({
        code: 'SM_NO_SUPERVISOR',
        message: `No supervisor listens on ${where}. Start one with \`stationmaster start <entry>\`, or name its socket with --control.`,
      })
    }
  })

  it.for([
    ['text', 200, 'hello'],
    ['an error that is not in our shape', 500, '{"message":"x"}'],
    ['null', 500, 'null'],
    ['nothing', 200, ''],
  ] as const)('something else listens and answers %s', async ([, code, body]) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'sm-client-'))
    const file = path.join(folder, 'other.sock')
    const other = http.createServer((_, response) => response.writeHead(code).end(body)).listen(file)
    await once(other, 'listening')
    const failure = await connectControl(file)
      .status()
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'SM_NO_SUPERVISOR', message: expect.stringContaining('does not answer like a supervisor') })
    await new Promise((resolve) => other.close(resolve))
    await rm(folder, { recursive: true })
  })
})
