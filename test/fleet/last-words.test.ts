import { expect, test } from 'vitest'
import { lastWords } from '../../packages/supervisor/src/fleet/last-words.ts'

const UNCAUGHT = [
  'about to read the settings',
  'file:///srv/app.mjs:2',
  "throw new Error('the setting GREETING is missing')",
  '      ^',
  'Error: the setting GREETING is missing',
  '    at file:///srv/app.mjs:2:7',
  '    at async node:internal/modules/esm/loader:647:26 {',
  "  code: 'ERR_SETTING'",
  '}',
  'Node.js v24.21.0',
]

test.for([
  { lines: UNCAUGHT, words: 'Error: the setting GREETING is missing' },
  {
    lines: ["TypeError [ERR_X]: Cannot read properties of undefined (reading 'id')", '    at a', 'Node.js v24.21.0'],
    words: "TypeError [ERR_X]: Cannot read properties of undefined (reading 'id')",
  },
  { lines: ['  SyntaxError: Unexpected end of input', '    at b'], words: 'SyntaxError: Unexpected end of input' },
  { lines: ['waiting for the database', 'giving up'], words: 'giving up' },
  { lines: ['giving up', '    at c', 'Node.js v24.21.0'], words: 'giving up' },
  { lines: ['Node.js v24.21.0'], words: 'Node.js v24.21.0' },
  { lines: [], words: null },
])('the line that tells why a process died: $words', ({ lines, words }) => {
  expect(lastWords(lines)).toBe(words)
})
