import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assumeClient, describeClient } from '../../packages/supervisor/src/worker/client-note.ts'
import { createSessionIds } from '../../packages/supervisor/src/worker/session-ids.ts'

const worker = (workerId: number, secret = 'the secret of a fleet') => createSessionIds(secret, workerId)

describe('a session id', () => {
  test('names its owner to every worker of the fleet, and to nobody else', () => {
    for (const workerId of [1, 35, 36, 4711, 2 ** 40]) {
      const id = worker(workerId).make()
      expect(worker(1).ownerOf(id)).toBe(workerId)
      expect(worker(1, 'the secret of another').ownerOf(id)).toBeNull()
      expect(id).toMatch(/^[\w-]+$/)
    }
  })

  test('is never made twice', () => {
    expect(new Set(Array.from({ length: 10_000 }, () => worker(3).make())).size).toBe(10_000)
  })

  test('cannot be changed to aim at another worker', () => {
    const id = worker(3).make()
    expect(worker(1).ownerOf(`4${id.slice(1)}`)).toBeNull()
    for (let at = 0; at < id.length; at++) {
      const other = id[at] === 'A' ? 'B' : 'A'
      const changed = id.slice(0, at) + other + id.slice(at + 1)
      // The last character carries spare bits, and a decoder would not care for them; we compare text.
      expect(worker(1).ownerOf(changed)).toBeNull()
    }
  })

  test('may be any text at all without harm', () => {
    fc.assert(fc.property(fc.string(), (text) => worker(1).ownerOf(text) === null))
  })
})

describe('the note about a client', () => {
  const socket = (fields: object) => fields as never
  const client = { remoteAddress: '2001:db8::1', remotePort: 4711, remoteFamily: 'IPv6', encrypted: true }

  test('makes the connection between two workers look like the client’s own', () => {
    const note = describeClient(socket(client), 2, 'secret')
    const seen = {}
    expect(assumeClient(socket(seen), note, 'secret')).toBe(2)
    for (const [name, value] of Object.entries(client)) expect([name, (seen as Record<string, unknown>)[name]]).toEqual([name, value])
  })

  test.each(['', '.', 'x.y', 'bm90IGpzb24.AAAA', 'x.é'.padEnd(48, 'é')])('is refused if no worker of the fleet wrote it: %j', (note) => {
    expect(assumeClient(socket({}), note, 'secret')).toBeNull()
  })

  test('is refused if another fleet wrote it', () => {
    expect(assumeClient(socket({}), describeClient(socket(client), 0, 'other secret'), 'secret')).toBeNull()
  })
})
