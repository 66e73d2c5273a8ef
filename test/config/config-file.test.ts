import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const LOADER = path.join(import.meta.dirname, 'fixtures/load.ts')
const ENTRY = { entry: './server.js' }
let root = ''

beforeAll(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'stationmaster-config-'))
})
afterAll(() => rm(root, { recursive: true }))

async function run(task: 'find' | 'load', ...more: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await promisify(execFile)(process.execPath, [LOADER, task, ...more], { timeout: 30_000 })
  return JSON.parse(stdout) as Record<string, unknown>
}

/** A folder with these files. */
async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(path.join(root, 'folder-'))
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text)
  return folder
}

test.each([
  ['ts', 'interface Size { min: number }\nconst workers: Size = { min: 2 }\nexport default { workers }', { workers: { min: 2 } }],
  ['mts', 'export default { entry: "./server.js" } satisfies object', ENTRY],
  ['js', 'export default { entry: "./server.js" }', ENTRY],
  ['js', 'module.exports = { entry: "./server.js" }', ENTRY],
  ['cjs', 'module.exports = { entry: "./server.js" }', ENTRY],
  ['cts', 'const entry: string = "./server.js"\nmodule.exports = { entry }', ENTRY],
  ['mjs', 'export default await Promise.resolve({ entry: "./server.js" })', ENTRY],
  [
    'json',
    '{ "$schema": "./node_modules/stationmaster/dist/config.schema.json", "entry": "./server.js" }',
    { $schema: expect.any(String), ...ENTRY },
  ],
  ['json', '\uFEFF{ "entry": "./server.js" }', ENTRY],
])('a file that ends in .%s is found and read: %s', async (extension, text, options) => {
  const name = `stationmaster.config.${extension}`
  const folder = await folderOf({ [name]: text, 'server.js': '', 'package.json': '{}' })
  const found = { found: path.join(folder, name) }
  expect(await run('find', folder)).toEqual(found)
  expect(await run('load', found.found)).toEqual({ found: options })
})

test.each<[name: string, text: string, sentence: string]>([
  ['a.ts', '', 'is empty; write `export default'],
  ['b.json', ' \n', 'is empty; write `export default'],
  ['c.ts', 'export default {\n  a: 1,\n  b: : 2,\n}', 'has a syntax error in line 3: Expression expected.'],
  ['d.mjs', 'export default {\n  a: 1,\n  b: : 2,\n}', "has a syntax error in line 3: Unexpected token ':'."],
  [
    'e.ts',
    'const a = 1\nenum Size { Small }\nexport default { a: Size.Small }',
    'cannot be loaded in line 2: TypeScript enum is not supported in strip-only mode;',
  ],
  ['f.mjs', 'throw new Error("no such secret.\\nSecond line")', 'threw while it was loaded: no such secret.'],
  ['g.mjs', 'throw { reason: 5 }', 'threw while it was loaded: it threw a value of type object.'],
  ['h.mjs', 'throw null', 'threw while it was loaded: it threw a value of type object.'],
  ['i.mjs', 'export const entry = "./server.js"', 'has no default export; write `export default'],
  ['j.mjs', 'export default () => ({})', 'exports a function; export the options themselves.'],
  ['k.mjs', 'export default Promise.resolve({})', 'exports a promise; write `export default await …`'],
  ['l.mjs', 'import "no-such-package"\nexport default {}', "cannot be loaded: Cannot find package 'no-such-package'"],
  ['m.ts', 'import { a } from "./absent.ts"\nexport default { a }', 'cannot be loaded: Cannot find module'],
  ['n.json', '{\n  // the entry\n  "entry": "a.js"\n}', 'is not JSON in line 2: JSON has no comments; remove them, or use stationmaster.config.ts.'],
  ['o.json', '{\n  "entry": "http://a",\n}', 'is not JSON in line 3: Expected double-quoted property name'],
  ['p.json', '{ "entry": "a.js"', 'is not JSON'],
  ['q.yaml', 'entry: a.js', 'is not a config file; expected one that ends in .ts, .mts, .cts, .js, .mjs, .cjs, .json.'],
  ['r.json', `"${'a'.repeat(1_000_001)}"`, 'has 1000003 bytes; a config file has at most 1000000.'],
])('%s that cannot be read is told in one sentence: %s', async (name, text, sentence) => {
  const file = path.join(await folderOf({ [name]: text }), name)
  const answer = await run('load', file)
  expect(answer).toMatchObject({ name: 'StationmasterError', code: 'SM_CONFIG_UNREADABLE', fault: 'option' })
  expect(answer['message']).toContain(`${file} ${sentence}`)
  expect(answer['message']).not.toMatch(/\n|\.\.$| {4}at /)
})

test.each([
  ['ts', "import path from 'node:path'\nexport default { entry: path.sep }", 'line 1'],
  ['ts', 'const a: number = 1\nexport default { a }', 'line 2'],
  ['js', 'export default {}', 'line 1'],
  ['cjs', 'export default {}', 'line 1'],
  ['cts', 'export default {}', 'line 1'],
])('a module that Node takes for CommonJS is told its name: %s', async (extension, text, line) => {
  const folder = await folderOf({ [`a.${extension}`]: text, 'package.json': '{ "type": "commonjs" }' })
  const { message } = await run('load', path.join(folder, `a.${extension}`))
  const name = `a.m${extension.slice(-2)}`
  expect(message).toContain(`cannot be loaded in ${line}: Node takes that file for CommonJS, which has no import or export; rename it to ${name}.`)
})

test('what is wrong in a module is not taken for that', async () => {
  const folder = await folderOf({ 'a.mjs': 'if (true) { export default {} }' })
  expect((await run('load', path.join(folder, 'a.mjs')))['message']).toContain("has a syntax error in line 1: Unexpected token 'export'")
})

test('a file that is not there, a folder in its place, and a file where a folder should be', async () => {
  const folder = await folderOf({ 'file.txt': '' })
  await mkdir(path.join(folder, 'folder.ts'))
  const told = async (target: string, task: 'find' | 'load' = 'load') => (await run(task, target))['message']
  expect(await told(path.join(folder, 'absent.ts'))).toBe(
    `${folder}/absent.ts does not exist; correct the path, or write one with \`stationmaster init\`.`,
  )
  expect(await told(path.join(folder, 'folder.ts'))).toBe(`${folder}/folder.ts is a folder; name the file in it.`)
  expect(await told(path.join(folder, 'file.txt'), 'find')).toContain('is not a folder')
})

test('no config file is no fault; two are, because nobody could tell which one counts', async () => {
  expect(await run('find', await folderOf({ 'server.js': '', 'stationmaster.config.yaml': '' }))).toEqual({ found: null })
  const folder = await folderOf({ 'stationmaster.config.ts': '', 'stationmaster.config.json': '' })
  expect(await run('find', folder)).toMatchObject({
    code: 'SM_CONFIG_UNREADABLE',
    message: `${folder} has several config files, stationmaster.config.ts and stationmaster.config.json; keep one, or choose with --config.`,
  })
})

test('a file that never ends loading is given up', async () => {
  const file = path.join(await folderOf({ 'a.mjs': 'export default await new Promise(() => {})' }), 'a.mjs')
  expect((await run('load', file, '200'))['message']).toBe(`${file} was still loading after 200 ms; it may wait for something.`)
})
