import fc from 'fast-check'
import { expect, test } from 'vitest'
import { queueTimeMs } from '../../packages/supervisor/src/policy/queue-time.ts'

const NOW_MS = Date.UTC(2026, 10, 25, 12)

test.for([
  ['milliseconds, as Railway and Heroku write it', String(NOW_MS - 120), 120],
  ['with t=', `t=${NOW_MS - 120}`, 120],
  ['seconds with a fraction, as nginx writes it', `t=${((NOW_MS - 120) / 1000).toFixed(3)}`, 120],
  ['whole seconds', String(NOW_MS / 1000 - 2), 2000],
  ['microseconds, as Apache writes it', `t=${NOW_MS - 120}000`, 120],
  ['nanoseconds', `${NOW_MS - 120}000000`, 120],
  ['a clock that is a little ahead', String(NOW_MS + 900), 0],
  ['exactly now', String(NOW_MS), 0],
] as const)('%s', ([, header, expected]) => {
  expect(queueTimeMs(header, NOW_MS)).toBeCloseTo(expected, 0)
})

test.for([
  ['nothing', undefined],
  ['empty', ''],
  ['a word', 'yesterday'],
  ['negative', '-1000'],
  ['hexadecimal', '0x18f'],
  ['an exponent', '1e12'],
  ['two values, as when a proxy adds to what a client wrote', `${NOW_MS - 1}, ${NOW_MS - 120}`],
  ['two headers', [String(NOW_MS - 1), String(NOW_MS - 120)]],
  ['a clock that is far ahead', String(NOW_MS + 1001)],
  ['longer ago than any proxy waits', String(NOW_MS - 600_001)],
  ['zero', '0'],
  ['more digits than there are units', '9'.repeat(24)],
  ['endless', '1'.repeat(10_000)],
] as const)('refused: %s', ([, header]) => {
  expect(queueTimeMs(header, NOW_MS)).toBeNull()
})

test('whatever it says, the answer is null or a time that could have been', () => {
  const near = fc.integer({ min: -1e6, max: 1e6 }).map((offset) => `t=${NOW_MS + offset}`)
  fc.assert(
    fc.property(fc.oneof(fc.string(), near, fc.double().map(String)), (header) => {
      const waitedMs = queueTimeMs(header, NOW_MS)
      if (waitedMs === null) return
      expect(waitedMs).toBeGreaterThanOrEqual(0)
      expect(waitedMs).toBeLessThanOrEqual(600_000)
    }),
  )
})
