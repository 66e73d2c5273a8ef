// Packs stationmaster, installs the tarball into an empty project, and uses it as a stranger would: command, library, worker API, types.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const folder = mkdtempSync(path.join(tmpdir(), 'stationmaster-package-'))
const run = (command, ...args) =>
  execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], timeout: 120_000 })

try {
  install()
  writeProject()
  run(path.join(root, 'node_modules/.bin/tsc'), '-p', '.')
  await useCommand()
  useLibrary()
  console.log('The packed tarball works in an empty project: types, command, library and worker API.')
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function install() {
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
    cwd: path.join(root, 'packages/supervisor'),
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name: 'empty', version: '1.0.0', private: true, type: 'module' }))
  installPatiently(tarball)
  for (const file of ['README.md', 'LICENSE'])
    if (!existsSync(path.join(folder, 'node_modules/stationmaster', file))) throw new Error(`the package carries no ${file}`)
}

/** A network that fails once is not the package's fault. */
function installPatiently(tarball, triesLeft = 3) {
  try {
    run('npm', 'install', '--silent', '--no-audit', '--no-fund', `./${tarball}`)
  } catch (error) {
    if (triesLeft === 1) throw error
    console.error(`npm install failed (${error.code ?? error.message}); once more …`)
    installPatiently(tarball, triesLeft - 1)
  }
}

function writeProject() {
  mkdirSync(path.join(folder, 'src'))
  const server = `import http from 'node:http'
import { createPool, lease, onDrain, ready, supervised } from 'stationmaster/worker'
onDrain(() => {})
if (lease.value) createPool({ max: lease.value.granted })
ready()
http.createServer((_request, response) => response.end('supervised: ' + supervised)).listen(Number(process.env['PORT']), '127.0.0.1')
`
  writeFileSync(path.join(folder, 'src/server.ts'), server)
  writeFileSync(
    path.join(folder, 'src/library.ts'),
    `import { createSupervisor, StationmasterError } from 'stationmaster'
const supervisor = await createSupervisor({ entry: './src/server.ts', workers: { min: 2, max: 3, oversubscribe: true }, log: 'json' })
supervisor.on('fleet:scaled', ({ from, to, reason }) => console.error(from, to, reason))
await supervisor.start()
await supervisor.scale(3)
await supervisor.reload()
const generation: number = supervisor.status().generation
if (generation !== 2) throw new StationmasterError('SM_INTERNAL', 'bug', 'the reload made no new generation')
await supervisor.stop()
console.error('done')
`,
  )
  writeFileSync(
    path.join(folder, 'stationmaster.config.ts'),
    `import { defineConfig } from 'stationmaster'\nexport default defineConfig({ entry: './src/server.ts', workers: { min: 2, max: 2, oversubscribe: true } })\n`,
  )
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2024',
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    // Our declarations stand on their own, also where the packages that only some apps need are missing.
    skipLibCheck: false,
    types: ['node'],
    typeRoots: [path.join(root, 'node_modules/@types')],
  }
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src', '*.ts'] }))
}

async function useCommand() {
  const port = await freePort()
  const bin = path.join(folder, 'node_modules/.bin/stationmaster')
  const supervisor = spawn(bin, ['start', '--log', 'json'], {
    cwd: folder,
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const exit = once(supervisor, 'exit')
  try {
    const text = await untilItAnswers(`http://127.0.0.1:${port}/`, supervisor)
    if (text !== 'supervised: true') throw new Error(`unexpected answer: ${text}`)
    const status = JSON.parse(run(bin, 'status', '--json'))
    if (status.version !== 1 || status.workers.length < 2) throw new Error(`unexpected status: ${JSON.stringify(status)}`)
  } finally {
    supervisor.kill('SIGTERM')
  }
  const [code] = await exit
  if (code !== 0) throw new Error(`the supervisor exited with code ${code}`)
}

function useLibrary() {
  execFileSync(process.execPath, ['src/library.ts'], {
    cwd: folder,
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 60_000,
  })
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  return port
}

async function untilItAnswers(url, supervisor) {
  for (let attempt = 0; attempt < 300 && supervisor.exitCode === null; attempt++) {
    const response = await fetch(url, { headers: { connection: 'close' } }).catch(() => null)
    if (response) return await response.text()
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`nobody answered at ${url}`)
}
