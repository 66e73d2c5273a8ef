import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { connectControl } from 'stationmaster'
import { phases, quickPhases } from './demo/phases.ts'
import { play } from './demo/play.ts'
import { renderReport } from './demo/report.ts'
import { type Outcome, printSummary, shortcomings, summarize } from './demo/summary.ts'
import { startBothServices } from './start/both-services.ts'
import { freePortFrom } from './start/free-port.ts'
import { exitCodeOf, Signals } from './start/signals.ts'
import { answers, packageFolder, startSupervisor, type Supervisor } from './start/supervisor.ts'
import { findSupervisorBin } from './start/supervisor-bin.ts'
import { watchWrappers } from './start/wrappers.ts'

const readyTimeoutMs = 30_000
const exitGraceMs = 2_000
const firstPort = 3300
const host = '127.0.0.1'
const usageExitCode = 2

const signals = new Signals()
const wrappers = watchWrappers(() => signals.receive('SIGTERM'))
const isOver = (): boolean => signals.first !== null
// The control socket and the log of this run only: another one may be under way.
const folder = mkdtempSync(join(tmpdir(), 'stationmaster-demo-'))
const logFile = join(folder, 'supervisor.log')
try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
rmSync(folder, { recursive: true, force: true })
wrappers.stop()

async function main(): Promise<number> {
  findSupervisorBin() // first of all, because it fails at once where nothing was built
  const wish = readArguments()
  if (!wish) return usageExitCode
  console.log('Starting PostgreSQL, Redis and a fleet of one worker …')
  const services = await startBothServices()
  let outcome: Outcome | null = null
  try {
    const port = await freePortFrom(firstPort, host)
    const journal = wish.journal === null ? {} : { DEMO_JOURNAL: wish.journal }
    outcome = await withSupervisor({ ...services.env, ...journal, PORT: String(port), HOST: host }, async (supervisor, control) => {
      const url = `http://${host}:${port}`
      await ready(url, supervisor)
      return isOver() ? null : await play({ url, control, phases: wish.quick ? quickPhases : phases, isOver: () => isOver() || hasEnded(supervisor) })
    })
  } finally {
    await services.stop()
  }
  return outcome && !isOver() ? conclude(outcome, wish.report) : exitCodeOf(signals.first)
}

function readArguments(): { readonly quick: boolean; readonly report: string; readonly journal: string | null } | null {
  const usual = join(packageFolder, '.stationmaster', 'demo-report.html')
  try {
    const { values } = parseArgs({
      options: { quick: { type: 'boolean', default: false }, report: { type: 'string', default: usual }, journal: { type: 'string' } },
    })
    const pathOf = (given: string): string => resolve(process.env['INIT_CWD'] ?? '', given)
    return { quick: values.quick, report: pathOf(values.report), journal: values.journal === undefined ? null : pathOf(values.journal) }
  } catch (error) {
    // Node adds a hint about `--`, which helps nobody here.
    const [sentence] = String(error instanceof Error ? error.message : error).split('. ')
    console.error(`${sentence}; there are --quick, --report <file> and --journal <file>.`)
    return null
  }
}

async function withSupervisor<T>(
  env: NodeJS.ProcessEnv,
  work: (supervisor: Supervisor, control: ReturnType<typeof connectControl>) => Promise<T>,
): Promise<T> {
  const socket = join(folder, 'control.sock')
  const args = ['--config', join(packageFolder, 'demo.config.ts'), '--control', socket, '--log', 'json']
  const supervisor = startSupervisor(args, env, openSync(logFile, 'w'))
  try {
    const result = await work(supervisor, connectControl(socket))
    if (hasEnded(supervisor)) throw new Error('The supervisor is gone.')
    return result
  } catch (error) {
    // It closes its control socket a moment before it ends.
    await Promise.race([supervisor.exitCode, sleep(exitGraceMs, null, { ref: false })])
    if (isOver()) throw error
    const sentence = hasEnded(supervisor) || !(error instanceof Error) ? 'The supervisor ended during the demo.' : error.message
    throw new Error(`${sentence} The log of the supervisor ends with:\n${readFileSync(logFile, 'utf8').slice(-2_000)}`, { cause: error })
  } finally {
    supervisor.process.kill('SIGTERM')
    await supervisor.exitCode
  }
}

async function ready(url: string, supervisor: Supervisor): Promise<void> {
  const end = performance.now() + readyTimeoutMs
  while (!isOver() && !(await answers(url))) {
    if (hasEnded(supervisor) || performance.now() > end) throw new Error('The fleet did not start.')
    await sleep(50)
  }
}

function conclude(outcome: Outcome, report: string): number {
  const rows = summarize(outcome)
  mkdirSync(dirname(report), { recursive: true })
  writeFileSync(report, renderReport(outcome, rows))
  console.log(
    `\n${printSummary(rows)}\n\nThe report with all curves: ${relative(process.env['INIT_CWD'] ?? process.cwd(), report)}\n${pathToFileURL(report).href}`,
  )
  const faults = shortcomings(outcome)
  if (faults.length > 0) console.error(`\nNot as it should be:\n${faults.map((fault) => `  ${fault}`).join('\n')}`)
  return faults.length > 0 ? 1 : 0
}

function hasEnded({ process: { exitCode, signalCode } }: Supervisor): boolean {
  return exitCode !== null || signalCode !== null
}
