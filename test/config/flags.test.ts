import { expect, test } from 'vitest'
import { type Flags, mergeOptions, optionsFromFlags } from '../../packages/supervisor/src/config/flags.ts'
import { resolveOptions } from '../../packages/supervisor/src/config/resolve.ts'
import { complaints, here } from './surroundings.ts'

const merged = (file: unknown, flags: Flags): unknown => mergeOptions(file, optionsFromFlags(flags, '/home/me'))

test('flags take the shape of a config file; their paths are seen from the folder they were typed in', () => {
  const flags = { entry: 'a.js', args: ['x'], min: '2', max: '4', shadow: true, control: 'c.sock', admin: ':1', log: 'json' }
  expect(optionsFromFlags(flags, '/home/me')).toEqual({
    entry: '/home/me/a.js',
    args: ['x'],
    workers: { min: 2, max: 4 },
    scaling: { mode: 'shadow' },
    control: { socket: '/home/me/c.sock' },
    admin: { listen: ':1' },
    log: 'json',
  })
  expect(optionsFromFlags({}, '/home/me')).toEqual({})
  expect(optionsFromFlags({ entry: undefined, args: [], shadow: false }, '/home/me')).toEqual({})
})

test('flags win over the file, option by option', () => {
  const file = { entry: './b.js', workers: { min: 3, max: 8, spares: 0 }, scaling: { step: { down: 2 } }, log: 'json' }
  const settings = resolveOptions(merged(file, { entry: 'a.js', max: '5', shadow: true, log: 'pretty' }), here)
  expect(settings.app.entry).toBe('/home/me/a.js')
  expect(settings.fleet.workers).toMatchObject({ min: 3, max: 5, spares: 0 })
  expect(settings.fleet.scaling).toMatchObject({ mode: 'shadow', stepDown: 2 })
  expect(settings.log).toBe('pretty')
  expect(file).toEqual({ entry: './b.js', workers: { min: 3, max: 8, spares: 0 }, scaling: { step: { down: 2 } }, log: 'json' })
})

test.each<[Flags, string]>([
  [{ max: '0' }, '--max 0 is not allowed; expected a whole number from 1 to 1024.'],
  [{ min: 'four' }, '--min four is not allowed; expected a whole number from 1 to 1024.'],
  [{ min: '1.5' }, '--min 1.5 is not allowed; expected a whole number from 1 to 1024.'],
  [{ min: '' }, '--min  is not allowed; expected a whole number from 1 to 1024.'],
  [{ min: '20' }, '--min 20 is not allowed; expected at most workers.max (10).'],
  [{ admin: '9090' }, '--admin 9090 is not allowed; expected host:port'],
  [{ log: 'xml' }, '--log xml is not allowed; expected "pretty" or "json".'],
  [{ control: '' }, '--control  is not allowed; expected the path of a socket'],
  [{ entry: '' }, 'the entry "" is not allowed; expected the path of the file'],
])('a faulty flag is named as it was typed: %j', (flags, sentence) => {
  const lines = complaints(merged({ entry: './b.js' }, flags), { flags, file: 'stationmaster.config.ts' })
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain(sentence)
  expect(lines[0]).not.toContain('stationmaster.config.ts')
})

test('a fault of the file names the file, also beside flags', () => {
  const flags = { max: '4' }
  const lines = complaints(merged({ entry: './b.js', workers: { min: 0 } }, flags), { flags, file: 'stationmaster.config.ts' })
  expect(lines).toEqual(['stationmaster.config.ts: workers.min: 0 is not allowed; expected a whole number from 1 to 1024.'])
})

test.each([
  ['no object', 5, 'the options: 5 is not allowed'],
  ['null', null, 'the options: null is not allowed'],
  ['a group that is none', { entry: 'a.js', workers: 5 }, 'workers: 5 is not allowed'],
  ['a key that would become a prototype', JSON.parse('{"entry":"a.js","__proto__":{"workers":{}}}'), 'an object with a key __proto__ is not allowed'],
  [
    'such a key in a group',
    JSON.parse('{"entry":"a.js","workers":{"__proto__":{"min":2}}}'),
    'workers: an object with a key __proto__ is not allowed',
  ],
  ['a getter that throws', Object.defineProperty({ entry: 'a.js' }, 'workers', { enumerable: true, get: fail }), 'workers: a getter that throws'],
  ['an instance', new (class Config {})(), 'the options: an instance of Config is not allowed'],
])('flags do not hide that the file is wrong: %s', (_, file, sentence) => {
  const flags = { max: '4' }
  const lines = complaints(merged(file, flags), { flags })
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain(sentence)
})

function fail(): never {
  throw new Error('not to be read')
}
