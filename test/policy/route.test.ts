import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { ownerOf, type Route } from '../../packages/supervisor/src/policy/route.ts'
import { keyOf } from '../../packages/supervisor/src/policy/session-key.ts'

const KEYS = Array.from({ length: 20_000 }, (_, index) => `session-${index.toString(36)}`)
const routes = (count: number): Route[] => Array.from({ length: count }, (_, slot) => ({ workerId: 100 + slot, slot }))

describe('rendezvous hashing', () => {
  test('spreads keys evenly', () => {
    for (const count of [2, 3, 7, 10]) {
      const counts = new Map<number | null, number>()
      for (const key of KEYS) counts.set(ownerOf(key, routes(count)), (counts.get(ownerOf(key, routes(count))) ?? 0) + 1)
      const expected = KEYS.length / count
      const chiSquare = [...counts.values()].reduce((sum, seen) => sum + (seen - expected) ** 2 / expected, 0)
      // The 99.99 % quantile for 9 degrees of freedom is 33.7; the keys are fixed, so this never fails by chance.
      expect(chiSquare).toBeLessThan(34)
    }
  })

  test('moves at most 1 / (n + 1) of the keys, and 3 % of that, to a worker that comes, and none elsewhere', () => {
    for (let count = 1; count < 10; count++) {
      const moved = KEYS.filter((key) => ownerOf(key, routes(count)) !== ownerOf(key, routes(count + 1)))
      expect(moved.length / KEYS.length).toBeLessThanOrEqual((1 / (count + 1)) * 1.03)
      expect(new Set(moved.map((key) => ownerOf(key, routes(count + 1))))).toEqual(new Set([100 + count]))
    }
  })

  test('moves only the keys of a worker that goes', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 2, max: 12 }), fc.nat(), (key, count, which) => {
        const all = routes(count)
        const gone = all[which % count] as Route
        const owner = ownerOf(key, all)
        const rest = all.filter((route) => route !== gone)
        if (owner !== gone.workerId) expect(ownerOf(key, rest)).toBe(owner)
      }),
    )
  })

  test('does not care for the order of the routes, and keeps a key in its slot when a worker is replaced', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 12 }), (key, count) => {
        const all = routes(count)
        const owner = ownerOf(key, all)
        expect(ownerOf(key, all.toReversed())).toBe(owner)
        const replaced = all.map((route) => (route.workerId === owner ? { ...route, workerId: 999 } : route))
        expect(ownerOf(key, replaced)).toBe(999)
      }),
    )
  })

  test('finds nobody where nobody is', () => {
    expect(ownerOf('x', [])).toBeNull()
  })
})

describe('the key of a request', () => {
  const facts = (headers: Record<string, string | string[]>) => ({ headers, remoteAddress: '10.0.0.1', isTrusted: null })

  test.each([
    ['a=1; connect.sid=abc; b=2', 'abc'],
    ['connect.sid=abc', 'abc'],
    ['connect.sid=abc=def', 'abc=def'],
    [' connect.sid = abc ', 'abc'],
    ['connect.sid=first; connect.sid=second', 'first'],
    ['xconnect.sid=abc', null],
    ['connect.sid', null],
    ['connect.sid=', null],
    ['note=connect.sid=abc', null],
    ['', null],
  ])('cookie %j', (cookie, key) => {
    expect(keyOf(facts({ cookie }), { by: 'cookie', name: 'connect.sid' })).toBe(key)
  })

  test.each([
    ['many pairs', (bytes: number) => 'a=1; '.repeat(bytes / 5)],
    ['one long pair', (bytes: number) => `a=${'='.repeat(bytes)}`],
    ['no pair at all', (bytes: number) => ';'.repeat(bytes)],
    ['spaces', (bytes: number) => `${' '.repeat(bytes)}=`],
    ['nearly the name, again and again', (bytes: number) => 'connect.si=1; '.repeat(bytes / 14)],
  ])('is found with work that grows no quicker than the cookie: %s', (_, cookieOf) => {
    const workFor = (bytes: number): number => charactersRead(() => keyOf(facts({ cookie: cookieOf(bytes) }), { by: 'cookie', name: 'connect.sid' }))
    const [once, twice] = [workFor(16_384), workFor(32_768)]
    expect(once).toBeGreaterThan(0)
    expect(twice).toBeLessThan(2.1 * once)
    expect(once).toBeLessThan(10 * 16_384)
  })

  test('is the header of that name, whatever its case in the options', () => {
    expect(keyOf(facts({ 'x-tenant': 'acme' }), { by: 'header', name: 'X-Tenant' })).toBe('acme')
    expect(keyOf(facts({}), { by: 'header', name: 'X-Tenant' })).toBeNull()
    expect(keyOf(facts({ 'x-tenant': 'x'.repeat(100_000) }), { by: 'header', name: 'x-tenant' })).toHaveLength(1024)
  })

  test('is the address of the connection, or what the proxy next to us saw, never what stands before it', () => {
    const forwarded = facts({ 'x-forwarded-for': '6.6.6.6, 192.0.2.7' })
    expect(keyOf(forwarded, { by: 'address', trustProxy: false })).toBe('10.0.0.1')
    expect(keyOf(forwarded, { by: 'address', trustProxy: true })).toBe('192.0.2.7')
    expect(keyOf(facts({}), { by: 'address', trustProxy: true })).toBe('10.0.0.1')
  })

  test.each([
    ['203.0.113.9', '203.0.113.9'],
    ['6.6.6.6, 203.0.113.9, 10.0.0.3', '203.0.113.9'],
    ['203.0.113.9, 10.0.0.2, 10.0.0.3', '203.0.113.9'],
    ['10.0.0.2, 10.0.0.3', '10.0.0.2'],
    ['6.6.6.6, [2001:DB8::7]:4711, 10.0.0.3', '2001:db8::7'],
    ['6.6.6.6, ::ffff:203.0.113.9, 10.0.0.3:80', '203.0.113.9'],
    ['6.6.6.6, nonsense, 10.0.0.3', 'nonsense'],
    [', ,', '10.0.0.1'],
  ])('is, behind trusted proxies, the last address that is none of theirs: %j', (chain, key) => {
    const behind = { ...facts({ 'x-forwarded-for': chain }), isTrusted: (address: string) => address.startsWith('10.') }
    expect(keyOf(behind, { by: 'address', trustProxy: true })).toBe(key)
    expect(keyOf({ ...behind, remoteAddress: '::ffff:192.0.2.1' }, { by: 'address', trustProxy: true })).toBe('192.0.2.1')
    expect(keyOf(behind, { by: 'address', trustProxy: false })).toBe('10.0.0.1')
  })

  test('never throws, whatever a client sends', () => {
    fc.assert(
      fc.property(fc.string(), (cookie) => {
        const key = keyOf(facts({ cookie, 'x-forwarded-for': cookie }), { by: 'cookie', name: 'sid' })
        expect(key === null || key.length > 0).toBe(true)
      }),
    )
  })
})

/** How much text the methods of strings are given in all: work that can be counted, unlike time. */
function charactersRead(work: () => unknown): number {
  const methods = ['split', 'indexOf', 'slice', 'trim'] as const
  const spies = methods.map((method) => vi.spyOn(String.prototype, method))
  try {
    work()
    return spies.flatMap(({ mock }) => mock.contexts).reduce((sum: number, text) => sum + String(text).length, 0)
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}
