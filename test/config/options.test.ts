import { expect, test } from 'vitest'
import { type Options, defineConfig } from '../../packages/supervisor/src/config/options.ts'
import { complaints } from './surroundings.ts'

const schedule = { cron: '0 8 * * *', min: 2 }

/** What the types refuse, the check at run time refuses as well: a config file in JavaScript or JSON has no types. */
const REFUSED: readonly Options[] = [
  // @ts-expect-error a number of workers is no text
  { entry: 'a.js', workers: { min: '2' } },
  // @ts-expect-error no such option
  { entry: 'a.js', wrokers: {} },
  // @ts-expect-error no such word
  { entry: 'a.js', workers: { readyWhen: 'always' } },
  // @ts-expect-error signals are switched off with false, not on with true
  { entry: 'a.js', scaling: { up: { cpu: true } } },
  // @ts-expect-error a ratio has no unit
  { entry: 'a.js', scaling: { up: { cpu: { above: '70%' } } } },
  // @ts-expect-error growing looks above, shrinking below
  { entry: 'a.js', scaling: { down: { queue: { above: 5 } } } },
  // @ts-expect-error an entry ends by one rule
  { entry: 'a.js', scaling: { schedule: [{ ...schedule, until: '0 9 * * *', for: '1h' }] } },
  // @ts-expect-error an entry ends
  { entry: 'a.js', scaling: { schedule: [schedule] } },
  // @ts-expect-error one key at a time
  { entry: 'a.js', routing: { sticky: { address: false } } },
]

test.each(REFUSED)('types and check agree: %j', (options) => {
  expect(complaints(options)).toHaveLength(1)
})

test('defineConfig gives back what it was given', () => {
  const options = { entry: 'a.js' }
  expect(defineConfig(options)).toBe(options)
})
