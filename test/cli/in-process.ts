import { PassThrough } from 'node:stream'
import type { CommandContext, Outside } from '../../packages/supervisor/src/operator/commands/context.ts'
import { runCommandLine } from '../../packages/supervisor/src/operator/commands/run.ts'
import type { Outcome } from './harness.ts'

/** A terminal that keeps what is written on it, and whose keys a test presses. */
export function fakeTerminal(): {
  readonly screen: () => string
  readonly streams: Pick<CommandContext, 'stdin' | 'stdout'>
  readonly raw: () => boolean
} {
  let [screen, raw] = ['', false]
  const stdout = Object.assign(new PassThrough(), { isTTY: true, rows: 40, columns: 160 })
  stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text
  })
  const stdin: PassThrough = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode(on: boolean) {
      raw = on
      return stdin
    },
  })
  const streams = { stdin, stdout } as unknown as Pick<CommandContext, 'stdin' | 'stdout'>
  return { streams, screen: () => screen, raw: () => raw }
}

/** Nothing is started, and the machine is always the same. */
export const nobody: Outside = {
  runSupervisor: () => Promise.reject(new Error('nothing may be started here')),
  readCapacity: () => Promise.resolve({ cpus: 2, memoryBytes: 2e9, source: 'cgroup2' }),
  findPortHolder: () => Promise.resolve('a process (pid 4711)'),
}

/** One command line in this process: what a real one would do, without the second it takes to start. */
export function runHere(folder: string, words: readonly string[], given: Partial<CommandContext> = {}): Promise<Outcome> {
  return hear(folder, (context) => runCommandLine(words, { ...context, ...given }))
}

/** One command in this process, called by its function: what it printed, and the code it answered. */
export async function hear(folder: string, command: (context: CommandContext) => Promise<number>): Promise<Outcome> {
  let [stdout, stderr] = ['', '']
  const { streams } = fakeTerminal()
  const code = await command({
    ...streams,
    folder,
    environment: {},
    appArgs: [],
    version: '1.2.3',
    outside: nobody,
    terminal: {
      isTerminal: false,
      paint: (_, text) => text,
      print: (text) => void (stdout += `${text}\n`),
      complain: (text) => void (stderr += `${text}\n`),
    },
  })
  return { code, stdout, stderr }
}
