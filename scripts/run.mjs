// Runs a task of this repository on any machine with Node 20 or newer and npm: `node scripts/run.mjs <task> [arguments]`.
// Installs what is missing and builds what is old, once; after that it needs no network. Tasks run on the Node of node_modules.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const PNPM = 'pnpm@12.21.0'
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const bin = path.join(root, 'node_modules', '.bin')
const node = path.join(bin, 'node')
const supervisor = path.join(root, 'packages', 'supervisor')

const tasks = {
  start: { script: ['packages/example-app/src/start.ts'] },
  demo: { script: ['packages/example-app/src/demo.ts'] },
  test: { script: [tool('vitest/vitest.mjs'), 'run'] },
  bench: { script: ['bench/run.ts'] },
  check: { script: ['scripts/check.mjs'] },
  build: { script: null },
}

const [task, ...args] = process.argv.slice(2)
if (!task || !Object.hasOwn(tasks, task)) {
  console.error(`There is no task ${task ?? ''}; there are ${Object.keys(tasks).join(', ')}.`)
  process.exit(2)
}
const [major] = process.versions.node.split('.').map(Number)
if (major < 20) {
  console.error(`This is Node ${process.versions.node}; Node 20 or newer is needed to set up this repository.`)
  process.exit(2)
}
install()
build()
if (tasks[task].script) runTask(tasks[task].script)

function tool(file) {
  return path.join('node_modules', file)
}

function install() {
  const inputs = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', ...packageFiles()]
  once('installed', inputs, () => {
    console.log('Installing the dependencies …')
    must('npx', ['-y', PNPM, 'install', '--frozen-lockfile', '--config.confirmModulesPurge=false'], root)
  })
}

function build() {
  once('built', ['pnpm-lock.yaml', 'tsconfig.base.json', ...filesBelow('packages/supervisor')], () => {
    console.log('Building stationmaster …')
    must(node, [path.join(root, tool('tsup/dist/cli-default.js')), '--silent'], supervisor)
    must(node, [path.join(root, tool('typescript/bin/tsc')), '-p', 'tsconfig.build.json'], supervisor)
    must(node, ['scripts/write-schema.ts'], root)
  })
}

/** Does the work unless it was done for these very files. */
function once(name, files, work) {
  const stamp = path.join(root, 'node_modules', `.stationmaster-${name}`)
  const hash = createHash('sha256')
  for (const file of files) if (existsSync(path.join(root, file))) hash.update(file).update(readFileSync(path.join(root, file)))
  const digest = hash.digest('hex')
  if (
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === digest &&
    existsSync(node) &&
    (name === 'installed' || existsSync(path.join(supervisor, 'dist', 'cli.js')))
  )
    return
  // What is done by halves belongs to no files.
  rmSync(stamp, { force: true })
  work()
  mkdirSync(path.dirname(stamp), { recursive: true })
  writeFileSync(stamp, digest)
}

function packageFiles() {
  return ['packages/supervisor', 'packages/example-app', 'test', 'bench', 'scripts'].map((folder) => `${folder}/package.json`)
}

function filesBelow(folder) {
  return readdirSync(path.join(root, folder))
    .filter((name) => !['node_modules', 'dist'].includes(name) && !name.endsWith('.md'))
    .sort()
    .flatMap((name) => {
      const file = `${folder}/${name}`
      return statSync(path.join(root, file)).isDirectory() ? filesBelow(file) : [file]
    })
}

function must(command, commandArgs, cwd) {
  const { status, error, signal } = spawnSync(command, commandArgs, { cwd, stdio: 'inherit', env: environment() })
  if (status === 0) return
  console.error(`\`${command} ${commandArgs.join(' ')}\` failed: ${error?.message ?? signal ?? `exit code ${status}`}.`)
  process.exit(1)
}

function environment() {
  return { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH ?? ''}` }
}

/** Signals reach the task, and its end is ours. */
function runTask(script) {
  const child = spawn(node, [...script, ...args], { cwd: root, stdio: 'inherit', env: environment() })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (signal ? constants.signals[signal] : 0)))
}
