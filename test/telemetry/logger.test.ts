import { expect, test } from 'vitest'
import { createLogger, type LoggerOptions } from '../../packages/supervisor/src/telemetry/logger.ts'
import { collect } from './lines.ts'

function logTo(options: Partial<LoggerOptions> = {}) {
  const output = collect()
  return { output, logger: createLogger({ format: 'json', stream: output.stream, colors: false, environment: {}, ...options }) }
}

test('JSON: level, time, message and fields on one line', async () => {
  const { output, logger } = logTo()
  const before = Date.now()
  logger.warn('two\nlines', { workerId: 3, list: [1, null, true], at: new Date(0) })
  await logger.flush(5000)
  expect(output.lines).toHaveLength(1)
  const [record] = output.records()
  expect(Object.keys(record ?? {}).slice(0, 3)).toEqual(['level', 'time', 'msg'])
  expect(record).toMatchObject({ level: 'warn', msg: 'two\nlines', workerId: 3, list: [1, null, true], at: '1970-01-01T00:00:00.000Z' })
  expect(Date.parse(String(record?.['time']))).toBeGreaterThanOrEqual(before)
})

test('fields cannot pretend to be the level, the time or the message', async () => {
  const { output, logger } = logTo()
  logger.info('true', { level: 'error', time: 'never', msg: 'false' })
  await logger.flush(5000)
  expect(output.records()[0]).toMatchObject({ level: 'info', msg: 'true', time: expect.stringMatching(/^\d{4}-.*Z$/) })
})

test('the level: debug is left out unless asked for', async () => {
  const { output, logger } = logTo()
  logger.debug('left out')
  logger.info('a')
  logger.warn('b')
  logger.error('c')
  const loud = logTo({ level: 'debug' })
  loud.logger.debug('told')
  await Promise.all([logger.flush(5000), loud.logger.flush(5000)])
  expect(output.records().map(({ msg }) => msg)).toEqual(['a', 'b', 'c'])
  expect(loud.output.records().map(({ msg }) => msg)).toEqual(['told'])
})

test('pretty: time, level, sentence', async () => {
  const { output, logger } = logTo({ format: 'pretty' })
  logger.info('worker 3 is ready (140 ms)', { workerId: 3 })
  logger.error('the app failed\n  last line')
  await logger.flush(5000)
  expect(output.lines[0]).toMatch(/^\d\d:\d\d:\d\d info {2}worker 3 is ready \(140 ms\)$/)
  expect(output.lines.slice(1)).toEqual([expect.stringMatching(/^\d\d:\d\d:\d\d error the app failed$/), '    last line'])
})

test('pretty: colors only if asked for, and none of them from an app', async () => {
  const { output, logger } = logTo({ format: 'pretty', colors: true })
  const plain = logTo({ format: 'pretty' })
  logger.error('red\u001b[2Jhidden\r\u0007\u009b')
  plain.logger.error('red\u001b[2Jhidden')
  await Promise.all([logger.flush(5000), plain.logger.flush(5000)])
  expect(output.lines[0]).toContain('\u001b[31merror\u001b[0m')
  expect(output.lines[0]).toContain('red\\u001b[2Jhidden\\r')
  expect(output.lines[0]).not.toContain('\u0007')
  expect(plain.output.lines[0]).not.toContain('\u001b')
})

test('what cannot be printed does not throw', async () => {
  const { output, logger } = logTo()
  const circular: Record<string, unknown> = { name: 'circular' }
  circular['self'] = circular
  const hostile = {
    get bad(): never {
      throw new Error('no')
    },
  }
  logger.info('circular', { circular })
  logger.info('hostile', hostile)
  logger.info('odd', { big: 2n ** 70n, not: Number.NaN, call: () => 1, symbol: Symbol('s'), never: new Date(Number.NaN), nothing: undefined })
  logger.info('error', { error: Object.assign(new Error('outer', { cause: new Error('inner') }), { code: 'SM_X' }) })
  logger.info('proto', JSON.parse('{"__proto__":{"a":1}}') as Record<string, unknown>)
  logger.info('undefined', undefined)
  expect(await logger.flush(5000)).toBe(true)
  const records = output.records()
  expect(records.map(({ msg }) => msg)).toEqual(['circular', 'hostile', 'odd', 'error', 'proto', 'undefined'])
  expect(records[2]).toMatchObject({ big: String(2n ** 70n), not: 'NaN', symbol: 'Symbol(s)', never: null })
  expect(records[3]).toMatchObject({ error: { name: 'Error', message: 'outer', code: 'SM_X', cause: { message: 'inner' } } })
})

test('a line has an end', async () => {
  const { output, logger } = logTo()
  logger.info('x'.repeat(1e6))
  logger.info('wide', { list: Array.from({ length: 10_000 }, () => 'y'.repeat(1000)) })
  await logger.flush(5000)
  for (const line of output.lines) expect(line.length).toBeLessThanOrEqual(64 * 1024)
  expect(output.records()[1]).toMatchObject({ msg: 'wide', truncated: true })
})
