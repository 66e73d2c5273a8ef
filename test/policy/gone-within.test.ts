import { expect, test } from 'vitest'
import { type ServerTimeouts, goneWithinMs } from '../../packages/supervisor/src/policy/gone-within.ts'

/** What a server has that nobody has set up. */
const USUAL: ServerTimeouts = {
  isLocal: false,
  statementTimeoutMs: 0,
  transactionTimeoutMs: 0,
  checkIntervalMs: 0,
  userTimeoutMs: 0,
  keepaliveIdleS: 7200,
  keepaliveIntervalS: 75,
  keepaliveCount: 9,
}
const HOURS_2_11_15 = (7200 + 75 * 9) * 1000

test('nothing bounds a query that never looks for its client', () => {
  expect(goneWithinMs(USUAL)).toBeNull()
  expect(goneWithinMs({ ...USUAL, isLocal: true })).toBeNull()
})

test('the network decides when the server knows, then the first thing that makes a backend look', () => {
  expect(goneWithinMs({ ...USUAL, checkIntervalMs: 500 })).toBe(HOURS_2_11_15 + 500 + 1000)
  expect(goneWithinMs({ ...USUAL, statementTimeoutMs: 30_000 })).toBe(HOURS_2_11_15 + 30_000 + 1000)
  expect(goneWithinMs({ ...USUAL, statementTimeoutMs: 30_000, transactionTimeoutMs: 4000, checkIntervalMs: 60_000 })).toBe(
    HOURS_2_11_15 + 4000 + 1000,
  )
  expect(goneWithinMs({ ...USUAL, isLocal: true, statementTimeoutMs: 30_000 })).toBe(31_000)
})

test('a server that sends may wait longer than one that only listens', () => {
  const quick = { ...USUAL, checkIntervalMs: 500, keepaliveIdleS: 10, keepaliveIntervalS: 5, keepaliveCount: 2 }
  expect(goneWithinMs(quick)).toBe(30 * 60_000 + 1500)
  expect(goneWithinMs({ ...quick, userTimeoutMs: 5000 })).toBe(20_000 + 1500)
  expect(goneWithinMs({ ...quick, userTimeoutMs: 60_000 })).toBe(60_000 + 1500)
})

test('a connection over TCP that nothing probes is never proven gone', () => {
  expect(goneWithinMs({ ...USUAL, checkIntervalMs: 500, keepaliveIdleS: 0, keepaliveIntervalS: 0, keepaliveCount: 0 })).toBeNull()
})
