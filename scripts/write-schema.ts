// Writes the JSON Schema of a config file beside the build, for editors.
import { mkdirSync, writeFileSync } from 'node:fs'
import { configSchema } from '../packages/supervisor/src/config/json-schema.ts'

const folder = new URL('../packages/supervisor/dist/', import.meta.url)
mkdirSync(folder, { recursive: true })
writeFileSync(new URL('config.schema.json', folder), `${JSON.stringify(configSchema(), null, 2)}\n`)
