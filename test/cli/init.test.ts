import { mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect } from 'vitest'
import { it } from './harness.ts'
import { nobody, runHere } from './in-process.ts'

const PACKAGE = fileURLToPath(new URL('../../packages/supervisor', import.meta.url))
/** Where no package.json says that files are modules. */
const FILE = 'stationmaster.config.mts'

it('a real process writes a file that check understands', async ({ cli }) => {
  await writeFile(path.join(cli.folder, 'package.json'), JSON.stringify({ type: 'module', main: 'server.js' }))
  await writeFile(path.join(cli.folder, 'server.js'), '')
  const { code, stdout, stderr } = await cli.run(['init'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('Wrote stationmaster.config.ts.')
  expect(stdout).not.toContain('Railway')
  const { stdout: checked } = await cli.run(['check', '--json'])
  expect(JSON.parse(checked)).toMatchObject({ ok: true, errors: [] })
})

it('imports defineConfig where the package is installed, and only there', async ({ cli }) => {
  await runHere(cli.folder, ['init'])
  expect(await readFile(path.join(cli.folder, FILE), 'utf8')).toMatch(/^export default \{\n {2}entry: '\.\/server\.js',/)
  const other = path.join(cli.folder, 'other')
  await mkdir(path.join(other, 'node_modules'), { recursive: true })
  await symlink(PACKAGE, path.join(other, 'node_modules', 'stationmaster'))
  await runHere(other, ['init'])
  expect(await readFile(path.join(other, FILE), 'utf8')).toMatch(/^import \{ defineConfig \} from 'stationmaster'\n\nexport default defineConfig\(\{/)
})

it('writes nothing that check would warn of, in a container of any size', async ({ cli }) => {
  await writeFile(path.join(cli.folder, 'server.js'), '')
  await runHere(cli.folder, ['init'])
  const { stdout } = await runHere(cli.folder, ['check', '--json'], {
    outside: { ...nobody, readCapacity: () => Promise.resolve({ cpus: 0.5, memoryBytes: 512e6, source: 'cgroup2' }) },
  })
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, errors: [], warnings: [] })
})

it.for([{ type: 'commonjs' }, {}])('writes one that Node takes for a module wherever it is, as in a package of %j', async (manifest, { cli }) => {
  await writeFile(path.join(cli.folder, 'package.json'), JSON.stringify(manifest))
  await writeFile(path.join(cli.folder, 'server.js'), '')
  expect((await cli.run(['init'])).stdout).toContain('Wrote stationmaster.config.mts.')
  const { code, stdout, stderr } = await cli.run(['check', '--json'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(JSON.parse(stdout)).toMatchObject({ ok: true })
})

it.for(['stationmaster.config.ts', 'stationmaster.config.mts', 'stationmaster.config.js', 'stationmaster.config.json'])(
  'never overwrites: %s',
  async (name, { cli }) => {
    await writeFile(path.join(cli.folder, name), 'mine')
    const { code, stderr } = await runHere(cli.folder, ['init'])
    expect(code).toBe(2)
    expect(stderr).toContain(`${name} is there already`)
    expect(await readFile(path.join(cli.folder, name), 'utf8')).toBe('mine')
    expect(await readdir(cli.folder)).toEqual([name])
  },
)

describe('the entry', () => {
  it.for([
    [{ scripts: { start: 'node dist/main.js --port 1' }, main: 'index.js' }, [], './dist/main.js'],
    [{ scripts: { start: 'NODE_ENV=production node --enable-source-maps --import ./trace.js ./build/app.mjs' } }, [], './build/app.mjs'],
    [{ scripts: { start: 'tsx src/server.ts' } }, [], './src/server.ts'],
    [{ scripts: { start: 'next start' }, main: 'lib/server.cjs' }, [], './lib/server.cjs'],
    [{}, ['index.js', 'server.js'], './server.js'],
    [{ main: 'README.md' }, ['app.js'], './app.js'],
    [{ main: 'lib/server.js' }, ['app.js'], './lib/server.js'],
    [{ main: 'index.js' }, ['app.js'], './app.js'],
    [{ main: 'index.js' }, ['app.js', 'index.js'], './index.js'],
    [{ scripts: 'none', main: 4 }, [], './server.js'],
    [{}, [], './server.js'],
  ] as const)('of %j with the files %j is %s', async ([manifest, files, entry], { cli }) => {
    await writeFile(path.join(cli.folder, 'package.json'), JSON.stringify(manifest))
    for (const file of files) await writeFile(path.join(cli.folder, file), '')
    await runHere(cli.folder, ['init'])
    expect(await readFile(path.join(cli.folder, FILE), 'utf8')).toContain(`entry: '${entry}'`)
  })

  it.for([
    ['node server.js', false],
    ['node --import ./trace.js server.js --port 1', true],
    ['next start', false],
  ] as const)('of the start script `%s` is not all that it says: %s', async ([start, isTold], { cli }) => {
    await writeFile(path.join(cli.folder, 'package.json'), JSON.stringify({ scripts: { start } }))
    const { stdout } = await runHere(cli.folder, ['init'])
    expect(stdout.includes('belongs into env, execArgv or args')).toBe(isTold)
    expect(stdout.includes(`with \`${start}\``)).toBe(isTold)
  })

  it('is asked for when nothing names it', async ({ cli }) => {
    await writeFile(path.join(cli.folder, 'package.json'), 'not json')
    expect((await runHere(cli.folder, ['init'])).stdout).toContain('No entry point was found')
  })

  it('with a quote in its name gives a file that still is TypeScript', async ({ cli }) => {
    await writeFile(path.join(cli.folder, 'package.json'), JSON.stringify({ main: `it's "x".js` }))
    await runHere(cli.folder, ['init'])
    const { default: written } = (await import(path.join(cli.folder, FILE))) as { default: unknown }
    expect(written).toMatchObject({ entry: `./it's "x".js` })
  })
})

describe('Railway', () => {
  it.for([
    ['the flag', ['--railway'], {}, null],
    ['the environment', [], { RAILWAY_PROJECT_ID: 'x' }, null],
    ['railway.toml', [], {}, 'railway.toml'],
  ] as const)('is told what to set there: %s', async ([, words, environment, file], { cli }) => {
    if (file) await writeFile(path.join(cli.folder, file), '')
    const { stdout } = await runHere(cli.folder, ['init', ...words], { environment })
    expect(stdout).toContain('node node_modules/stationmaster/dist/cli.js start')
    expect(stdout).toContain('RAILWAY_DEPLOYMENT_DRAINING_SECONDS=40')
  })
})
