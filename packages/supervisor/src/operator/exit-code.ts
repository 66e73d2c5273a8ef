import { type ErrorCode, StationmasterError } from '../errors.ts'

/** 0 done, 1 the supervised app failed, 2 usage or configuration, 3 no supervisor to talk to. */
export type ExitCode = 0 | 1 | 2 | 3

/** These are thrown before anything is forked: something that was written down must be written otherwise. */
const CONFIGURATION: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'SM_CONFIG_UNREADABLE',
  'SM_ENTRY_MISSING',
  'SM_CONTROL_BUSY',
  // Of the admin server. A port that the app itself cannot have is told by its fleet, which then ends with 1.
  'SM_PORT_IN_USE',
  'SM_LISTEN_REFUSED',
])

export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof StationmasterError)) return 1
  if (error.code === 'SM_NO_SUPERVISOR') return 3
  return error.fault === 'option' || CONFIGURATION.has(error.code) ? 2 : 1
}

/** One clear sentence, never a stack. */
export function sentenceOf(error: unknown): string {
  if (error instanceof StationmasterError) return error.message
  const message = error instanceof Error ? error.message : String(error)
  return `This should not have happened, please report it: ${message}`
}
