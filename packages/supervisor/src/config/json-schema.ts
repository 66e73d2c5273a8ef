import * as z from 'zod/mini'
import { SCHEMA_KEY } from './read.ts'
import type { Row } from './row.ts'
import { customSignal } from './rows-scaling.ts'
import { table } from './table.ts'
import { type Tree, tree } from './tree.ts'

/** A JSON Schema, or a part of one. */
export type JsonSchema = Readonly<Record<string, unknown>>

const CUSTOM_SIGNALS = { 'scaling.up.': 'up', 'scaling.down.': 'down' } as const

/** The JSON Schema (draft 2020-12) of a config file, for editors. What options mean together it cannot say. */
export function configSchema(): JsonSchema {
  const root = schemaOf(tree, '')
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Configuration of stationmaster',
    ...root,
    properties: { [SCHEMA_KEY]: { type: 'string' }, ...(root['properties'] as JsonSchema) },
  }
}

function schemaOf(group: Tree, prefix: string): JsonSchema {
  const sayable = [...group].filter(([, below]) => typeof below !== 'string' || !(table[below] as Row<unknown>).codeOnly)
  const properties = sayable.map(([name, below]) => {
    return [name, typeof below === 'string' ? optionSchema(table[below]) : schemaOf(below, `${prefix}${name}.`)] as const
  })
  return { type: 'object', properties: Object.fromEntries(properties), additionalProperties: othersIn(prefix) }
}

/** Only triggers may have names that we do not know. */
function othersIn(prefix: string): JsonSchema | false {
  if (!Object.hasOwn(CUSTOM_SIGNALS, prefix)) return false
  return zodSchema(customSignal(CUSTOM_SIGNALS[prefix as keyof typeof CUSTOM_SIGNALS]).schema)
}

function optionSchema(row: Row<unknown>): JsonSchema {
  return { description: row.meaning, ...zodSchema(row.kind.schema), ...(row.initial === undefined ? {} : { default: row.initial }) }
}

function zodSchema(schema: z.ZodMiniType): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' })
  return rest
}
