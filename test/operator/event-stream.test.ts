import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { expect, vi } from 'vitest'
import type { TimedNote } from '../../packages/supervisor/src/fleet/note.ts'
import { connectControl } from '../../packages/supervisor/src/operator/control-client.ts'
import { createEventStreams } from '../../packages/supervisor/src/operator/event-stream.ts'
import { FakeControl } from './fake-control.ts'
import { RawClient, it } from './harness.ts'

const warning = (message: string): TimedNote => ({ kind: 'fleet:warning', message, atMs: 1 })
const LISTEN = 'GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n'

it('tells every note as an event, with line breaks escaped', async ({ world }) => {
  await world.open()
  const client = new RawClient(world.path).say(LISTEN)
  await client.hears('welcome')
  world.control.tell(warning('one\n\ntwo'))
  await client.hears('two')
  expect(client.heard).toMatch(/Content-Type: text\/event-stream/i)
  expect(client.heard).toContain(`event: fleet:warning\ndata: ${JSON.stringify(warning('one\n\ntwo'))}\n\n`)
  client.socket.destroy()
  await world.control.hasListeners(0)
})

it('drops a consumer that does not read, and no other', async ({ world }) => {
  await world.open()
  const stalled = new RawClient(world.path).say(LISTEN)
  await stalled.hears('welcome')
  stalled.socket.pause()
  const reader = new RawClient(world.path).say(LISTEN)
  await reader.hears('welcome')
  const large = warning('x'.repeat(50_000))
  // The kernel takes a few hundred KB before anything piles up in our memory; the bound ends this loop if nothing is dropped.
  for (let told = 0; told < 200 && world.control.listeners.size === 2; told++) {
    const seen = reader.heard.length
    world.control.tell(large)
    while (reader.heard.length < seen + 50_000) await new Promise((resolve) => reader.socket.once('data', resolve))
  }
  await world.control.hasListeners(1)
  world.control.tell(warning('still told'))
  await reader.hears('still told')
  stalled.socket.destroy()
  reader.socket.destroy()
  await world.control.hasListeners(0)
})

it('reaches the client as typed notes, until the loop is left', async ({ world }) => {
  await world.open()
  const heard: TimedNote[] = []
  const reading = (async () => {
    for await (const note of connectControl(world.path).events()) {
      heard.push(note)
      if (heard.length === 3) break
    }
  })()
  await world.control.hasListeners(1)
  for (const message of ['a', 'b\n\nc', 'ü'.repeat(40_000)]) world.control.tell(warning(message))
  await reading
  expect(heard).toEqual([warning('a'), warning('b\n\nc'), warning('ü'.repeat(40_000))])
  await world.control.hasListeners(0)
})

it('ends when the supervisor closes', async ({ world }) => {
  const server = await world.open()
  const heard: TimedNote[] = []
  const reading = (async () => {
    for await (const note of connectControl(world.path).events()) heard.push(note)
  })()
  await world.control.hasListeners(1)
  world.control.tell(warning('the last one'))
  await server.close()
  await reading
  expect(heard).toEqual([warning('the last one')])
})

it('gives a sign of life while nothing happens, until the stream is closed', () => {
  vi.useFakeTimers()
  try {
    const written: string[] = []
    const response = Object.assign(new EventEmitter(), { writeHead: () => {}, write: (part: string) => written.push(part), writableLength: 0 })
    createEventStreams(new FakeControl()).open(response as unknown as ServerResponse)
    vi.advanceTimersByTime(60_000)
    expect(written.filter((part) => part === ': still here\n\n').length).toBeGreaterThanOrEqual(2)
    response.emit('close')
    expect(vi.getTimerCount()).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})
