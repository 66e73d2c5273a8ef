import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { type ControlServer, openControlServer } from '../../packages/supervisor/src/operator/control-server.ts'
import { FakeControl, keepingLogger } from '../operator/fake-control.ts'

const CLI = fileURLToPath(new URL('../../packages/supervisor/src/cli.ts', import.meta.url))

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CliWorld {
  readonly folder: string
  readonly control: FakeControl
  /** Runs one command line in `folder`, in an environment of nothing but PATH and what is given. */
  run(words: readonly string[], environment?: Record<string, string>): Promise<Outcome>
  /** Serves `control` where a command in `folder` looks for a supervisor, or on another path. */
  supervise(socket?: string): Promise<ControlServer>
}

/** A test in a folder of its own, with a supervisor of its own that does what the test says. */
export const it = test.extend<{ cli: CliWorld }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern to see that nothing else is needed
  cli: async ({}, use) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'sm-cli-'))
    const control = new FakeControl()
    const servers: ControlServer[] = []
    await use({
      folder,
      control,
      run: (words, environment = {}) => run(folder, words, environment),
      async supervise(socket = '.stationmaster/control.sock') {
        const server = await openControlServer({ path: path.join(folder, socket), control, log: keepingLogger() })
        servers.push(server)
        return server
      },
    })
    await Promise.all(servers.map((server) => server.close()))
    expect(control.listeners.size).toBe(0)
    await rm(folder, { recursive: true, force: true })
  },
})

/** The command line as a process; whoever asks for it ends it. */
export function spawnCli(folder: string, words: readonly string[], environment: Record<string, string> = {}) {
  const env = { PATH: process.env['PATH'] ?? '', ...environment }
  return spawn(process.execPath, [CLI, ...words], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Whether there is the `script` of util-linux, which gives a command a terminal. */
export const hasTerminals: boolean = /util-linux/.test(String(spawnSync('script', ['--version']).stdout))
if (!hasTerminals) console.log('Tests on a real terminal are left out: there is no program `script`.')

/** The same on a terminal, whose settings are told before and after, as are the pid and the exit code of the command. */
export function spawnOnTerminal(folder: string, words: readonly string[], environment: Record<string, string> = {}) {
  const quoted = [process.execPath, CLI, ...words].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  const session = `stty -g; (echo PID $(exec sh -c 'echo $PPID'); exec ${quoted}); code=$?; stty -g; exit $code`
  const env = { PATH: process.env['PATH'] ?? '', SHELL: '/bin/sh', ...environment }
  return spawn('script', ['-qefc', session, '/dev/null'], { cwd: folder, env, stdio: ['pipe', 'pipe', 'pipe'] })
}

async function run(folder: string, words: readonly string[], environment: Record<string, string>): Promise<Outcome> {
  const command = spawnCli(folder, words, environment)
  let [stdout, stderr] = ['', '']
  command.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  command.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const code = await new Promise<number | null>((resolve) => command.once('close', resolve))
  return { code, stdout, stderr }
}

/** One sentence, or a few, on one line, and no trace of where in our code it came from. */
export function expectSentence(text: string): void {
  expect(text).toMatch(/^\S[^\n]*[.?]\n$/)
  expect(text).not.toMatch(/\n\s+at |node:internal|\.ts:\d/)
}
