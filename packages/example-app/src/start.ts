import { relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startBothServices } from './start/both-services.ts'
import { freePortFrom, wantedPort } from './start/free-port.ts'
import { exitCodeOf, Signals } from './start/signals.ts'
import { answers, packageFolder, startSupervisor, type Supervisor } from './start/supervisor.ts'
import { findSupervisorBin } from './start/supervisor-bin.ts'
import { watchWrappers } from './start/wrappers.ts'

const readyTimeoutMs = 60_000
const defaultPort = 3000

const signals = new Signals()
const wrappers = watchWrappers(() => signals.receive('SIGTERM'))
try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
wrappers.stop()

async function main(): Promise<number> {
  findSupervisorBin() // first of all, because it fails at once where nothing was built
  const host = process.env['HOST'] || '127.0.0.1'
  const wanted = wantedPort(process.env['PORT'], defaultPort)
  const port = await freePortFrom(wanted, host)
  if (port !== wanted) console.log(`Port ${wanted} is taken, so the app gets ${port}.`)
  const services = await startBothServices()
  try {
    // Ctrl-C while the databases were starting.
    if (signals.first) return exitCodeOf(signals.first)
    const supervisor = startSupervisor(process.argv.slice(2), { ...services.env, PORT: String(port), HOST: host }, 'inherit')
    signals.onSignal((signal) => supervisor.process.kill(signal))
    void announce(`http://${host.includes(':') ? `[${host}]` : host}:${port}`, supervisor)
    return await supervisor.exitCode
  } finally {
    await services.stop()
  }
}

async function announce(url: string, supervisor: Supervisor): Promise<void> {
  const end = performance.now() + readyTimeoutMs
  while (!(await answers(url))) {
    if (supervisor.process.exitCode !== null || signals.first || performance.now() > end) return
    await sleep(100)
  }
  const here = relative(process.env['INIT_CWD'] ?? process.cwd(), packageFolder)
  console.log(`
The app is at ${url}. Ctrl-C stops it, and its databases with it. In another terminal:

  curl -i '${url}/cpu?ms=20'
${here ? `  cd ${here}\n` : ''}  npx stationmaster status
  npx stationmaster scale 3
  npx stationmaster top
`)
}
