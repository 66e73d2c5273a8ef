import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ConnectionCount } from '../../packages/supervisor/src/worker/connection-count.ts'

const LONG_ENOUGH_MS = 1000

let connections: number
let told: number[]
let count: ConnectionCount

beforeEach(() => {
  vi.useFakeTimers()
  connections = 0
  told = []
  count = new ConnectionCount(
    () => connections,
    (number) => void told.push(number),
  )
})
afterEach(() => {
  vi.useRealTimers()
})

function set(number: number): void {
  connections = number
  count.changed()
}

test('connections that last are told, and then no more', () => {
  set(40)
  expect(told).toEqual([])
  vi.advanceTimersByTime(LONG_ENOUGH_MS)
  expect(told).toEqual([40])
  expect(vi.getTimerCount()).toBe(0)
})

test('connections that come and go within a look are not told, however many', () => {
  set(10)
  vi.advanceTimersByTime(LONG_ENOUGH_MS)
  for (let look = 0; look < 50; look++) {
    set(500)
    vi.advanceTimersByTime(1)
    set(10)
    vi.advanceTimersByTime(19)
  }
  expect(told).toEqual([10])
})

test('one more or two less are not worth telling; many less are told', () => {
  set(100)
  vi.advanceTimersByTime(LONG_ENOUGH_MS)
  set(101)
  vi.advanceTimersByTime(LONG_ENOUGH_MS)
  set(98)
  vi.advanceTimersByTime(LONG_ENOUGH_MS)
  expect(told).toEqual([100])
  set(3)
  vi.advanceTimersByTime(LONG_ENOUGH_MS)
  expect(told).toEqual([100, 3])
})

test('a crowd is told at the first look', () => {
  set(300)
  vi.advanceTimersByTime(10)
  expect(told).toEqual([300])
})

test('growth that goes on is told as it goes', () => {
  for (let step = 1; step <= 10; step++) {
    set(step * 100)
    vi.advanceTimersByTime(20)
  }
  vi.advanceTimersByTime(LONG_ENOUGH_MS)
  expect(told).toHaveLength(10)
  expect(told.at(-1)).toBe(1000)
})

test('who asks is told what lasts, even if nothing has changed', () => {
  count.tell()
  set(7)
  vi.advanceTimersByTime(LONG_ENOUGH_MS)
  connections = 30
  count.changed()
  count.tell()
  expect(told).toEqual([0, 7, 7])
})
