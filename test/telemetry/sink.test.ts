import { once } from 'node:events'
import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { createLogger, type StreamLogger } from '../../packages/supervisor/src/telemetry/logger.ts'
import { collect } from './lines.ts'

const loggerTo = (stream: NodeJS.WritableStream): StreamLogger => createLogger({ format: 'json', stream, colors: false, environment: {} })

test('a slow sink gets the newest lines, and is told how many it did not get', async () => {
  const waiting: (() => void)[] = []
  let slow = true
  const output = collect((done) => (slow ? waiting.push(done) : done()))
  const logger = loggerTo(output.stream)
  const total = 5000
  for (let line = 1; line <= total; line++) logger.info(`line ${line}`, { padding: 'x'.repeat(1000) })
  expect(output.stream.writableLength).toBeLessThan(100_000)
  expect(await logger.flush(1)).toBe(false)
  slow = false
  for (const done of waiting.splice(0)) done()
  expect(await logger.flush(10_000)).toBe(true)

  const records = output.records()
  const lost = records.filter((record) => 'lost' in record)
  expect(lost).toHaveLength(1)
  expect(lost[0]).toMatchObject({ level: 'warn', lost: total - (records.length - 1) })
  expect(records.at(-1)?.['msg']).toBe(`line ${total}`)
  expect(records.length).toBeGreaterThan(100)
  expect(records.length).toBeLessThan(2000)
})

test('a sink that failed for good is left alone', async () => {
  const output = collect((done) => done(new Error('broken')), false)
  const logger = loggerTo(output.stream)
  logger.info('lost')
  await once(output.stream, 'error')
  for (let line = 0; line < 5000; line++) logger.info(`line ${line}`)
  expect(output.stream.writableLength).toBeLessThan(100)
  expect(await logger.flush(1000)).toBe(false)
})

test('a sink that is destroyed, ended or throws takes nothing and hurts nobody', async () => {
  const destroyed = collect().stream
  destroyed.destroy()
  const ended = collect().stream
  ended.end()
  const throwing = new Writable()
  throwing.write = () => {
    throw new Error('not a sink')
  }
  for (const stream of [destroyed, ended, throwing]) {
    const logger = loggerTo(stream)
    for (let line = 0; line < 1000; line++) logger.error('to nobody')
    expect(await logger.flush(1000)).toBe(false)
  }
})

test('a sink that takes lines while they are given gets each once, in order', async () => {
  const lines: string[] = []
  const stream = new Writable()
  stream.write = ((chunk: string, done: (error: null) => void) => {
    lines.push(chunk)
    done(null)
    return true
  }) as typeof stream.write
  const logger = loggerTo(stream)
  for (let line = 0; line < 2500; line++) logger.info(String(line))
  expect(await logger.flush(1000)).toBe(true)
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(Array.from({ length: 2500 }, (_, line) => String(line)))
})
