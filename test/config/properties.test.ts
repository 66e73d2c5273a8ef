import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mergeOptions } from '../../packages/supervisor/src/config/flags.ts'
import { type Inspection, inspectOptions, resolveOptions } from '../../packages/supervisor/src/config/resolve.ts'
import { paths } from '../../packages/supervisor/src/config/table.ts'
import { formatMs, readMs } from '../../packages/supervisor/src/config/units.ts'
import { StationmasterError } from '../../packages/supervisor/src/errors.ts'
import { here, settled } from './surroundings.ts'

const GROUPS = [...new Set(paths.flatMap((path) => path.split('.').map((_, depth, names) => names.slice(0, depth + 1).join('.'))))]

/** Anything at all: sparse lists, objects without prototype, big integers, dates, typed arrays … */
const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSparseArray: true,
  withTypedArray: true,
})
const value = fc.oneof(anything, fc.constantFrom(0, 1, 2, '5s', '512MB', 'auto', false, null), fc.jsonValue())

/** An object whose names are ours, so that the values reach every kind of option. */
const likely = fc.dictionary(fc.constantFrom(...GROUPS), value, { maxKeys: 12 }).map((flat) => {
  const root: Record<string, unknown> = {}
  for (const [path, part] of Object.entries(flat)) {
    const names = path.split('.')
    let group = root
    for (const name of names.slice(0, -1)) group = (group[name] = Object.isExtensible(group[name]) ? group[name] : {}) as Record<string, unknown>
    Reflect.set(group, names.at(-1) as string, part)
  }
  return root
})

function expectOrderly({ settings, faults }: Inspection): void {
  if (settings) return
  expect(faults.length).toBeGreaterThan(0)
  for (const { path, problem } of faults) {
    const known = path === '' || GROUPS.some((group) => path === group || path.startsWith(`${group}.`) || path.startsWith(`${group}[`))
    expect(known || problem.startsWith('is not an option;'), `${path} ${problem}`).toBe(true)
    expect(problem).not.toContain('undefined')
    expect(problem).not.toContain('\n')
  }
}

test('whatever the options are, the answer is settings or orderly faults', () => {
  fc.assert(
    fc.property(fc.oneof(anything, likely), (raw) => expectOrderly(inspectOptions(raw, here))),
    { numRuns: 2000 },
  )
})

test('nothing but a StationmasterError is ever thrown, and its lines are short', () => {
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), likely), (raw) => {
      try {
        resolveOptions(raw, here)
      } catch (error) {
        expect(error).toBeInstanceOf(StationmasterError)
        for (const line of (error as StationmasterError).message.split('\n')) expect(line.length).toBeLessThan(500)
      }
    }),
    { numRuns: 1000 },
  )
})

test('whatever the file is, merging flags into it neither throws nor changes it nor any prototype', () => {
  fc.assert(
    fc.property(fc.oneof(anything, likely), (file) => {
      const before = fc.stringify(file)
      expectOrderly(inspectOptions(mergeOptions(file, { workers: { max: 4 }, log: 'json' }), here))
      expect(fc.stringify(file)).toBe(before)
      expect(Object.keys(Object.prototype)).toEqual([])
    }),
    { numRuns: 1000 },
  )
})

test('the answer depends on nothing but the options', () => {
  expect(settled({})).toEqual(settled({}))
  fc.assert(
    fc.property(likely, (raw) => {
      expect(inspectOptions(raw, here)).toEqual(inspectOptions(raw, here))
    }),
    { numRuns: 300 },
  )
})

test('a duration is read back as it was written', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e9 }), (durationMs) => {
      expect(readMs(formatMs(durationMs))).toBe(durationMs)
    }),
  )
})
