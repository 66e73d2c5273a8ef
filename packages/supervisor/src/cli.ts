#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'

// A version of Node that is too old shall be told in a sentence, not in an error of the first module that needs more.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(`stationmaster needs Node 22.18 or newer; this is ${process.versions.node}.\n`)
  process.exit(2)
}

// A supervisor lives for months and keeps little: left to itself, the part of the heap for young objects grows to 16 MB and stays so.
setFlagsFromString('--semi-space-growth-factor=1')

const [{ runCommandLine }, { createTerminal }] = await Promise.all([import('./operator/commands/run.ts'), import('./operator/terminal.ts')])

// Such as a promise of the config file that nobody waits for. Each command ends with a sentence, whatever happens.
function failUncaught(error: unknown): void {
  process.stderr.write(
    `Something failed that nobody caught, in the config file or in stationmaster itself: ${error instanceof Error ? error.message : String(error)}\n`,
  )
  process.exit(1)
}
process.on('uncaughtException', failUncaught)

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

process.exitCode = await runCommandLine(process.argv.slice(2), {
  terminal: createTerminal(process.stdout, process.stderr, process.env),
  stdin: process.stdin,
  stdout: process.stdout,
  folder: process.cwd(),
  environment: process.env,
  version,
  outside: {
    async runSupervisor(settings) {
      // A primary does little, for months: V8's optimising compilers would take 10 MB and save no time that anybody notices.
      setFlagsFromString('--no-opt')
      setFlagsFromString('--no-maglev')
      const { runSupervisor } = await import('./create-supervisor.ts')
      return await runSupervisor(settings, () => process.removeListener('uncaughtException', failUncaught))
    },
    readCapacity: async () => await (await import('./primary/host.ts')).readCapacity(),
    findPortHolder: async (port) => await (await import('./primary/port-holder.ts')).findPortHolder(port),
  },
})

// A handle that somebody forgot must not keep a command from ending that has said all it had to say.
setTimeout(() => process.exit(), 1000).unref()
