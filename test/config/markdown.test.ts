import { expect, test } from 'vitest'
import { optionTable, presetTable, withOptionTable } from '../../packages/supervisor/src/config/markdown.ts'
import { paths, table } from '../../packages/supervisor/src/config/table.ts'

const MARKS = '# Title\n<!-- options:begin -->\nold\n<!-- options:end -->\nrest\n'

test('each documented option has one row, and every row four cells', () => {
  const rows = optionTable().split('\n').slice(2)
  const named = rows.map((row) => /^\| `([\w.]+)` \|/.exec(row)?.[1])
  expect(named).toEqual(paths.filter((path) => !table[path].hidden))
  for (const row of rows) expect(row.split(/(?<!\\)\|/), row).toHaveLength(6)
})

test('defaults, flags and environment variables are told', () => {
  const rowOf = (path: string) =>
    optionTable()
      .split('\n')
      .find((row) => row.startsWith(`| \`${path}\` `))
  expect(rowOf('workers.max')).toContain('| `10` |')
  expect(rowOf('workers.max')).toContain('Flag: `--max`.')
  expect(rowOf('workers.max')).toContain('| a whole number from 1 to 1024 |')
  expect(rowOf('scaling.up.p95')).toContain('`{ above: "2s", for: "120s" }`')
  expect(rowOf('redis.url')).toContain('Environment: `REDIS_URL`.')
  expect(rowOf('sampling.interval')).toBeUndefined()
})

test('the presets stand side by side, each value as a config file has it', () => {
  const rowOf = (path: string) =>
    presetTable()
      .split('\n')
      .find((row) => row.startsWith(`| \`${path}\` `))
  expect(rowOf('scaling.up.cpu')).toBe(
    '| `scaling.up.cpu` | `{ above: 0.7, for: "60s" }` | `{ above: 0.6, for: "15s" }` | `{ above: 0.85, for: "120s" }` |',
  )
  expect(rowOf('scaling.surge')).toContain('| `{ eventLoopUtilization: 0.9, for: "2s" }` |')
  expect(rowOf('scaling.step.down')).toBeUndefined()
})

test('only what is between the marks is replaced, and a second time changes nothing', () => {
  const once = withOptionTable(MARKS)
  expect(once).toBe(`# Title\n<!-- options:begin -->\n${optionTable()}\n\n${presetTable()}\n<!-- options:end -->\nrest\n`)
  expect(withOptionTable(once as string)).toBe(once)
})

test.each(['', '# Title\n', '<!-- options:begin -->', '<!-- options:end --> <!-- options:begin -->'])(
  'without both marks there is no place for it: %j',
  (document) => {
    expect(withOptionTable(document)).toBeNull()
  },
)
