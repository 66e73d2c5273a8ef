import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Control } from './demo/control.ts'
import { phases as allPhases, type Phase, quickPhases, requestCpuMs } from './demo/phases.ts'
import { measurePromotions } from './demo/promotion.ts'
import { newRecording, record, type Recording, secondsInto } from './demo/recorder.ts'
import { renderReport } from './demo/report.ts'
import { printSummary, type Row, summarize } from './demo/summary.ts'
import { openView } from './demo/view.ts'
import { type HttpLoad, startHttpLoad, startSessionLoad, startSocketLoad } from './load.ts'
import { startBothServices } from './start/both-services.ts'
import { freePortFrom } from './start/free-port.ts'
import { exitCodeOf, Signals } from './start/signals.ts'
import { answers, packageFolder, startSupervisor, type Supervisor } from './start/supervisor.ts'
import { findSupervisorBin } from './start/supervisor-bin.ts'
import { watchWrappers } from './start/wrappers.ts'

const lookEveryMs = 500
const readyTimeoutMs = 30_000
const folder = join(packageFolder, '.stationmaster')
const socketPath = join(folder, 'demo.sock')
const logFile = join(folder, 'demo.log')
const reportFile = join(folder, 'demo-report.html')
const phases = process.argv.includes('--quick') ? quickPhases : allPhases

const signals = new Signals()
const wrappers = watchWrappers(() => signals.receive('SIGTERM'))
const isOver = (): boolean => signals.first !== null
try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
wrappers.stop()

async function main(): Promise<number> {
  findSupervisorBin() // first of all, because it fails at once where nothing was built
  mkdirSync(folder, { recursive: true })
  console.log('Starting PostgreSQL, Redis and a fleet of one worker …')
  const services = await startBothServices()
  try {
    const port = await freePortFrom(3300, '127.0.0.1')
    const args = ['--config', join(packageFolder, 'demo.config.ts'), '--control', socketPath, '--log', 'json']
    const supervisor = startSupervisor(args, { ...services.env, PORT: String(port), HOST: '127.0.0.1' }, openSync(logFile, 'w'))
    try {
      await ready(`http://127.0.0.1:${port}`, supervisor)
      if (!isOver()) await play(`http://127.0.0.1:${port}`)
    } finally {
      supervisor.process.kill('SIGTERM')
      await supervisor.exitCode
    }
    return isOver() ? exitCodeOf(signals.first) : 0
  } finally {
    await services.stop()
  }
}

async function ready(url: string, supervisor: Supervisor): Promise<void> {
  const end = performance.now() + readyTimeoutMs
  while (!isOver() && !(await answers(url))) {
    if (supervisor.process.exitCode !== null || performance.now() > end) {
      throw new Error(`The fleet did not start. Its log ends with:\n${readFileSync(logFile, 'utf8').slice(-2_000)}`)
    }
    await sleep(50)
  }
}

async function play(url: string): Promise<void> {
  const control = new Control(socketPath)
  const recording = newRecording()
  const load = startHttpLoad({ url, connections: 100, ratePerSecond: 0, path: `/cpu?ms=${requestCpuMs}`, requestsPerConnection: 20 })
  const sessions = startSessionLoad({ url, clients: 5, everyMs: 500 })
  const sockets = startSocketLoad({ url, clients: 20, everyMs: 2_000, rooms: 4 })
  for (const phase of phases) if (!isOver()) await playPhase(phase, control, recording, load)
  await load.stop()
  const promotions = isOver() ? [] : await measurePromotions(control, url, isOver)
  const [people, chat] = await Promise.all([sessions.stop(), sockets.stop()])
  if (isOver()) return
  const rows = summarize(recording, promotions, [
    ['sessions lost', `${people.lostSessions} of ${people.loggedIn}`],
    ['chat messages lost', `${chat.lostAcks} of ${chat.sent}`],
    ['chat connections moved to another worker', String(chat.reconnects)],
  ] satisfies Row[])
  writeFileSync(reportFile, renderReport(recording, rows))
  console.log(`\n${printSummary(rows)}\n\nThe report with all curves: ${reportFile}`)
}

async function playPhase(phase: Phase, control: Control, recording: Recording, load: HttpLoad): Promise<void> {
  const view = openView(process.stdout)
  const fromS = secondsInto(recording)
  const toS = fromS + phase.seconds
  const endWindow = load.window()
  load.setRate(phase.requestsPerSecond)
  while (!isOver() && secondsInto(recording) < toS) {
    await sleep(lookEveryMs)
    const status = await control.status()
    if (!status) continue
    view.show(phase.name, Math.max(0, Math.round(toS - secondsInto(recording))), status, record(recording, status, load.lap()))
  }
  recording.phases.push({ name: phase.name, fromS, toS: secondsInto(recording), stats: endWindow() })
}
