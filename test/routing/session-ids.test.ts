import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assumeClient, describeClient } from '../../packages/supervisor/src/worker/client-note.ts'
import { createSessionIds } from '../../packages/supervisor/src/worker/session-ids.ts'

const ids = createSessionIds('the secret of a fleet')
const place = (workerId: number, replica: string | null = null) => ({ replica, workerId })

describe('a session id', () => {
  test('names its owner to everybody who knows the secret, and to nobody else', () => {
    for (const owner of [1, 35, 36, 4711, 2 ** 40].flatMap((id) => [place(id), place(id, 'b3c41d20af07')])) {
      const id = ids.make(owner)
      expect(createSessionIds('the secret of a fleet').ownerOf(id)).toEqual(owner)
      expect(createSessionIds('the secret of another').ownerOf(id)).toBeNull()
      expect(id).toMatch(/^[\w.-]+$/)
    }
  })

  test('is never made twice', () => {
    expect(new Set(Array.from({ length: 10_000 }, () => ids.make(place(3)))).size).toBe(10_000)
  })

  test.each([place(3), place(3, '0abc')])('cannot be changed to aim at another worker: %j', (owner) => {
    const id = ids.make(owner)
    const others = [`1.${id}`, id.replace(/^.*\./, ''), id.replace('3-', '4-')].filter((other) => other !== id)
    for (const other of others) expect(ids.ownerOf(other)).toBeNull()
    for (let at = 0; at < id.length; at++) {
      const other = id[at] === 'A' ? 'B' : 'A'
      const changed = id.slice(0, at) + other + id.slice(at + 1)
      // The last character carries spare bits, and a decoder would not care for them; we compare text.
      expect(ids.ownerOf(changed)).toBeNull()
    }
  })

  test('may be any text at all without harm', () => {
    fc.assert(fc.property(fc.string(), (text) => ids.ownerOf(text) === null))
  })

  test('aims at nobody if it only looks like one', () => {
    const shaped = fc.stringMatching(/^([0-9a-z]{1,16}\.)?[0-9a-z]{1,11}-[\w-]{31}$/)
    fc.assert(fc.property(shaped, (text) => ids.ownerOf(text) === null))
    // What is said before the tag is all that another fleet's id has wrong.
    fc.assert(fc.property(fc.nat(), (workerId) => ids.ownerOf(createSessionIds('another secret').make(place(workerId))) === null))
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
