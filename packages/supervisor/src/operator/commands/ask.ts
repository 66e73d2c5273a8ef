import { StationmasterError } from '../../errors.ts'
import type { ExitCode } from '../exit-code.ts'
import { harmless } from '../terminal.ts'
import type { CommandContext } from './context.ts'
import { type ControlFlag, connect } from './control-path.ts'

/** Commands that change the fleet: each waits until it is done (`drain`: until it has begun), and prints the sentence that says what was done. */

export async function scale(context: CommandContext, given: string, flags: ControlFlag): Promise<ExitCode> {
  const workers = given === 'auto' ? given : wholeNumber(given, 'scale', 'the number of workers, or "auto"')
  return done(context, await (await connect(context, flags)).scale(workers))
}

export async function reload(context: CommandContext, flags: ControlFlag): Promise<ExitCode> {
  return done(context, await (await connect(context, flags)).reload())
}

export async function drain(context: CommandContext, given: string, flags: ControlFlag): Promise<ExitCode> {
  const workerId = wholeNumber(given, 'drain', 'the id of a worker as `stationmaster status` shows it')
  return done(context, await (await connect(context, flags)).drain(workerId))
}

export async function budget(context: CommandContext, given: string, flags: ControlFlag): Promise<ExitCode> {
  const connections = wholeNumber(given, 'budget', 'the number of database connections for all workers of all replicas')
  return done(context, await (await connect(context, flags)).setBudget(connections))
}

function done({ terminal }: CommandContext, sentence: string): ExitCode {
  terminal.print(harmless(sentence))
  return 0
}

function wholeNumber(given: string, command: string, expected: string): number {
  if (/^\d{1,9}$/.test(given) && Number(given) >= 1) return Number(given)
  throw new StationmasterError('SM_REQUEST_INVALID', 'option', `${command} ${given} is not allowed; expected ${expected}.`)
}
