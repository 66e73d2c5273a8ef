import { expect, test } from 'vitest'
import { type JsonSchema, configSchema } from '../../packages/supervisor/src/config/json-schema.ts'
import { paths, table } from '../../packages/supervisor/src/config/table.ts'

const schema = configSchema()

function at(path: string): JsonSchema {
  let here = schema
  for (const name of path.split('.')) {
    const properties = here['properties'] as Record<string, JsonSchema>
    here = properties[name] as JsonSchema
  }
  return here
}

test('it is a closed schema of draft 2020-12 that survives JSON', () => {
  expect(schema['$schema']).toBe('https://json-schema.org/draft/2020-12/schema')
  expect(schema).toMatchObject({ type: 'object', additionalProperties: false })
  expect(JSON.parse(JSON.stringify(schema))).toEqual(schema)
})

test('every option that JSON can say is in it with its sentence and its default', () => {
  for (const path of paths) {
    const { meaning, initial, codeOnly } = table[path]
    if (codeOnly) expect(at(path), path).toBeUndefined()
    else expect(at(path), path).toMatchObject({ description: meaning, ...(initial === undefined ? {} : { default: initial }) })
  }
})

test('every group is closed, but for signals that the app reports itself', () => {
  for (const group of ['workers', 'scaling', 'scaling.step', 'health', 'restart', 'drain', 'routing', 'database', 'admin', 'cost']) {
    expect(at(group)['additionalProperties'], group).toBe(false)
  }
  expect(at('scaling.up')['additionalProperties']).toMatchObject({ anyOf: [{ const: false }, { required: ['above'] }] })
  expect(at('scaling.down')['additionalProperties']).toMatchObject({ anyOf: [{ const: false }, { required: ['below'] }] })
})

test('kinds become what an editor understands', () => {
  expect(at('workers.max')).toMatchObject({ type: 'integer', minimum: 1, maximum: 1024, default: 10 })
  expect(at('scaling.up.cpu')).toMatchObject({ default: { above: 0.7, for: '60s' } })
  expect(at('workers.readyWhen')).toMatchObject({ enum: ['listening', 'ready'] })
  expect(at('args')).toMatchObject({ type: 'array', items: { type: 'string' } })
  const entry = at('scaling.schedule')['items'] as JsonSchema
  expect(entry).toMatchObject({ type: 'object', required: ['cron'], additionalProperties: false })
  expect(Object.keys(schema['properties'] as object)[0]).toBe('$schema')
})

test.each([
  ['workers.bootTimeout', ['30s', '1.5s', '250ms', '5m', '1h'], ['5', '5 s', '-5s', 's', '30sec']],
  ['workers.memoryLimit', ['512MB', '1GiB', '100m', '1.5gb'], ['512', 'MB', '1 GB']],
])('the pattern of %s takes what the options take', (path, good, bad) => {
  const [{ pattern }] = at(path)['anyOf'] as [{ pattern: string }]
  expect(good.filter((text) => !new RegExp(pattern).test(text))).toEqual([])
  expect(bad.filter((text) => new RegExp(pattern).test(text))).toEqual([])
})
