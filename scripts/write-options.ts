// Writes the option table into README.md. With --check it changes nothing, and exits 1 if the table is stale.
import { readFileSync, writeFileSync } from 'node:fs'
import { withOptionTable } from '../packages/supervisor/src/config/markdown.ts'

const file = new URL('../README.md', import.meta.url)
const before = readFileSync(file, 'utf8')
const after = withOptionTable(before)
if (after === null) fail('README.md has no marks <!-- options:begin --> and <!-- options:end --> for the option table.')
else if (!process.argv.includes('--check')) writeFileSync(file, after)
else if (after !== before) fail('The option table in README.md is stale. Run `node scripts/write-options.ts`.')

function fail(sentence: string): void {
  console.error(sentence)
  process.exitCode = 1
}
