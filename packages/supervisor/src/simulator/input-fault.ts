import { StationmasterError } from '../errors.ts'

/** A fault in a file that was given to the simulator: `<file>, line 7: load[1].atS "x" is not allowed; …`. */
export function inputFault(file: string, line: number | null, sentencePart: string): StationmasterError {
  const where = line === null ? file : `${file}, line ${line}`
  const end = /[.?]$/.test(sentencePart) ? '' : '.'
  return new StationmasterError('SM_SCENARIO_INVALID', 'option', `${where}: ${sentencePart}${end}`)
}
