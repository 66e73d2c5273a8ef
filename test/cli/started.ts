import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { it as base, spawnCli, spawnOnTerminal } from './harness.ts'

/** An app that tells where it listens and what it was given. */
export const SERVER = `
const server = require('node:http').createServer((request, response) => response.end('hello'))
server.listen(0, '127.0.0.1', () => console.log('LISTENING', server.address().port, JSON.stringify(process.argv.slice(2))))
`

export interface Running {
  readonly process: ChildProcess
  output(): string
  /** Resolves when the output has this; fails when the process ends without. */
  says(text: string | RegExp): Promise<void>
  ends(): Promise<readonly [code: number | null, signal: string | null]>
}

export interface StartOptions {
  readonly environment?: Record<string, string>
  /** With a terminal of its own, as a person starts it. */
  readonly onTerminal?: boolean
}

/** A test that starts supervisors by their command. What it leaves running is told to stop. */
export const it = base.extend<{ start: (words: readonly string[], options?: StartOptions) => Running }>({
  start: async ({ cli }, use) => {
    const running: Running[] = []
    await use((words, { environment = {}, onTerminal = false } = {}) => {
      const started = follow((onTerminal ? spawnOnTerminal : spawnCli)(cli.folder, ['start', ...words], environment))
      running.push(started)
      return started
    })
    for (const { process: command, ends } of running) {
      if (command.exitCode === null && command.signalCode === null) command.kill('SIGTERM')
      await ends()
    }
  },
})

export function follow(command: ChildProcess): Running {
  let output = ''
  for (const stream of [command.stdout, command.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (output += text))
  const closed = once(command, 'close') as Promise<[number | null, string | null]>
  return {
    process: command,
    output: () => output,
    async says(text) {
      const found = () => (typeof text === 'string' ? output.includes(text) : text.test(output))
      while (!found()) {
        const data = [command.stdout, command.stderr].filter((stream) => stream !== null).map((stream) => once(stream, 'data'))
        const ended = await Promise.race([...data, closed.then(() => 'ended' as const)])
        if (ended === 'ended' && !found()) throw new Error(`ended before it said ${text}; it said:\n${output}`)
      }
    },
    ends: () => closed,
  }
}
