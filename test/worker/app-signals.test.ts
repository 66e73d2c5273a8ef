import { describe, expect, test } from 'vitest'
import { AppSignals } from '../../packages/supervisor/src/worker/app-signals.ts'

const signals = (): AppSignals => new AppSignals()

describe('signals of the app', () => {
  test('a number counts until the next one, a function is asked each time', () => {
    const ours = signals()
    let jobs = 1
    ours.set('jobs', () => jobs++)
    ours.set('rooms', 7)
    expect([ours.read(), ours.read()]).toEqual([
      { jobs: 1, rooms: 7 },
      { jobs: 2, rooms: 7 },
    ])
    ours.set('rooms', -8.5)
    expect(ours.read()).toEqual({ jobs: 3, rooms: -8.5 })
  })

  test.for([null, Number.NaN, Number.POSITIVE_INFINITY])('%s means that the value is not known, given as it is or by a function', (value) => {
    const ours = signals()
    ours.set('jobs', 5)
    ours.set('jobs', value)
    ours.set('rooms', () => value)
    expect(ours.read()).toEqual({})
  })

  test('a function that throws, or answers what is no number, costs only its own value', () => {
    const ours = signals()
    ours.set('jobs', () => {
      throw new Error('the queue is closed')
    })
    ours.set('text', (() => 'many') as unknown as () => number)
    ours.set('rooms', 3)
    expect([ours.read(), ours.read()]).toEqual([{ rooms: 3 }, { rooms: 3 }])
  })

  test.for([
    ['', 1, 'expected a name of letters, digits and _'],
    ['my-jobs', 1, 'expected a name'],
    ['x'.repeat(65), 1, 'expected a name'],
    ['constructor', 1, 'expected a name'],
    ['__proto__', 1, 'expected a name'],
    [7, 1, 'reportSignal(7): expected a name'],
    ['cpu', 1, 'is measured already'],
    ['p95', 1, 'is measured already'],
    ['jobs', '5', 'expected a number, null, or a function that answers one, and not string'],
    ['jobs', undefined, 'not undefined'],
  ] as const)('%s with %s is refused in a sentence', ([name, value, part]) => {
    const ours = signals()
    expect(() => ours.set(name as string, value as unknown as number)).toThrow(expect.objectContaining({ code: 'SM_OPTION_INVALID' }))
    expect(() => ours.set(name as string, value as unknown as number)).toThrow(part)
    expect(ours.read()).toEqual({})
  })

  test('the names are a fixed set: a 33rd is refused, the old ones go on', () => {
    const ours = signals()
    for (let index = 0; index < 32; index++) ours.set(`s${index}`, index)
    expect(() => ours.set('s32', 1)).toThrow('there are 32 signals already')
    ours.set('s0', 9)
    expect(ours.read()['s0']).toBe(9)
  })
})
