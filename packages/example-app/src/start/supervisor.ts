import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { exitCodeOf } from './signals.ts'
import { findSupervisorBin } from './supervisor-bin.ts'

/** Where the config files are, and where `.stationmaster/` is made. */
export const packageFolder = fileURLToPath(new URL('../..', import.meta.url))

export type Supervisor = { readonly process: ChildProcess; readonly exitCode: Promise<number> }

/** `stationmaster start` in the folder of this package. It ends with this process, however this process ends. */
export function startSupervisor(args: readonly string[], env: NodeJS.ProcessEnv, output: 'inherit' | number): Supervisor {
  const leash = new URL('leash.ts', import.meta.url).href
  const supervisor = spawn(process.execPath, ['--import', leash, findSupervisorBin(), 'start', ...args], {
    cwd: packageFolder,
    env: { ...process.env, ...env },
    // In a session of its own, so that a Ctrl-C reaches it once, from us, and not a second time from the terminal.
    detached: true,
    stdio: ['pipe', output, output],
  })
  supervisor.stdin?.on('error', () => {})
  const exitCode = new Promise<number>((resolve, reject) => {
    supervisor.once('error', reject)
    supervisor.once('exit', (code, signal) => resolve(code ?? exitCodeOf(signal)))
  })
  return { process: supervisor, exitCode }
}

export async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(1_000) })
    await response.text()
    return response.ok
  } catch {
    return false
  }
}
