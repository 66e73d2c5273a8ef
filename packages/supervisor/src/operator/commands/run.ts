import { type Command, CommanderError } from 'commander'
import { type ExitCode, exitCodeOf, sentenceOf } from '../exit-code.ts'
import { harmless } from '../terminal.ts'
import type { CommandContext } from './context.ts'
import { buildProgram } from './program.ts'

/** Runs one command line (without the program's own name) and tells its exit code. Never throws. */
export async function runCommandLine(words: readonly string[], given: Omit<CommandContext, 'appArgs'>): Promise<ExitCode> {
  // Taken apart here, because commander would take words without `--` for the app's as well.
  const end = words.indexOf('--')
  const [own, appArgs] = end < 0 ? [words, []] : [words.slice(0, end), words.slice(end + 1)]
  const context: CommandContext = { ...given, appArgs }
  const { terminal } = context
  let exitCode: ExitCode = 0
  const program = buildProgram(context, (code) => {
    exitCode = code
  })
  silence(program, terminal.print)
  try {
    if (own.length === 0) program.help({ error: true })
    if (appArgs.length > 0 && own[0] !== 'start') program.error('error: only `start` takes arguments after --')
    await program.parseAsync(own, { from: 'user' })
    return exitCode
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      terminal.complain(harmless(sentenceOf(error)))
      return exitCodeOf(error)
    }
    if (error.exitCode === 0) return 0
    terminal.complain(error.code === 'commander.help' ? program.helpInformation().trimEnd() : harmless(usageSentence(error.message)))
    return 2
  }
}

/** Its own errors commander shall only throw; help and version it may print. */
function silence(program: Command, print: (text: string) => void): void {
  const output = { writeOut: (text: string) => print(text.trimEnd()), writeErr: () => {}, outputError: () => {} }
  program.configureOutput(output)
  for (const command of program.commands) command.configureOutput(output).exitOverride()
}

/** Commander's `error: unknown command 'x'\n(Did you mean y?)` as one sentence. */
function usageSentence(message: string): string {
  const [what = '', suggestion] = message.replace(/^error: /, '').split('\n(')
  const sentence = what.charAt(0).toUpperCase() + what.slice(1).replace(/\.$/, '')
  const hint = suggestion ? ` ${suggestion.replace(/\)$/, '').replace(/^Did/, 'did')}` : ' see `stationmaster --help`.'
  return `${sentence};${hint}`
}
