import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isAlive, kill } from './process-table.ts'
import type { HostReport, Service } from './service.ts'

/** initdb on a slow, cold disk takes seconds; more than this means that something is wrong. */
const startTimeoutMs = 60_000
/** A host gives its server 3 s to shut down and then kills it, so this is reached only when the host itself hangs. */
const stopTimeoutMs = 10_000
/** Enough of a server's complaints to see why it did not start. */
const stderrTailBytes = 4_000

/**
 * Runs a host file as a process of its own. The host owns the server and watches its stdin: that pipe closes when `stop()` is called
 * and also when this process dies, however hard, so no server outlives the one who asked for it.
 */
export async function launch(name: string, host: URL, options: object): Promise<Service> {
  const child = spawn(process.execPath, [fileURLToPath(host), JSON.stringify(options)], {
    // A session of its own: Ctrl-C in the terminal must not reach the server before its users have let go of it.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: environment(),
  })
  const stderr = tail(child)
  const gone = exitOf(name, child, stderr)
  child.stdin.on('error', () => {}) // the host may be gone already: `gone` tells
  const report = await firstLine(name, child, gone)
  if ('error' in report) {
    await end(child, gone)
    throw new Error(`${name} could not be started: ${report.error}`)
  }
  letParentEnd(child)
  return { url: report.url, pid: report.pid, gone, stop: () => stop(child, report.pid, gone) }
}

/** PG* variables would redirect the server's tools, and NODE_OPTIONS is meant for the process that asked. */
function environment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([key]) => !key.startsWith('PG') && key !== 'NODE_OPTIONS')
  return Object.fromEntries(entries)
}

function tail(child: ChildProcess): () => string {
  let text = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-stderrTailBytes)
  })
  return () => text.trim()
}

function exitOf(name: string, child: ChildProcess, stderr: () => string): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`${name} could not be launched: ${error.message}`))
    child.once('close', (code, signal) => resolve(`${name} ended (${signal ?? `exit code ${code}`})${stderr() ? `: ${stderr()}` : ''}`))
  })
}

async function firstLine(name: string, child: ChildProcess, gone: Promise<string>): Promise<HostReport> {
  const line = new Promise<HostReport>((resolve) => {
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (text.includes('\n')) resolve(JSON.parse(text.slice(0, text.indexOf('\n'))))
    })
  })
  const timer = new AbortController()
  const late = sleep(startTimeoutMs, { error: `${name} was not ready within ${startTimeoutMs / 1000} s` }, { signal: timer.signal })
  const report = await Promise.race([line, gone.then((error) => ({ error })), late.catch(() => ({ error: 'aborted' }))])
  timer.abort()
  return report
}

/** A script that forgets `stop()` may still end; its server then ends with it. */
function letParentEnd(child: ChildProcess): void {
  child.unref()
  for (const stream of child.stdio) (stream as { unref?: () => void } | null)?.unref?.()
}

async function stop(child: ChildProcess, pid: number, gone: Promise<string>): Promise<void> {
  child.ref()
  kill(pid, 'SIGCONT') // a test may have paused it, and a paused server cannot shut down
  await end(child, gone)
  if (isAlive(pid)) kill(pid, 'SIGKILL') // its host was killed before it
}

async function end(child: ChildProcess, gone: Promise<string>): Promise<void> {
  child.stdin?.end()
  const timer = new AbortController()
  const late = sleep(stopTimeoutMs, 'late', { signal: timer.signal }).catch(() => 'aborted')
  if ((await Promise.race([gone, late])) === 'late' && child.pid !== undefined) kill(child.pid, 'SIGKILL')
  timer.abort()
  await gone
}
