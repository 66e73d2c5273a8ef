/** Who has to act: the caller's options, the supervised application, the machine around it, or us. */
export type Fault = 'option' | 'application' | 'environment' | 'bug'

export type ErrorCode =
  | 'SM_OPTION_INVALID'
  | 'SM_CONFIG_UNREADABLE'
  | 'SM_ENTRY_MISSING'
  | 'SM_PORT_IN_USE'
  | 'SM_LISTEN_REFUSED'
  | 'SM_START_FAILED'
  | 'SM_NOT_STARTED'
  | 'SM_RELOAD_FAILED'
  | 'SM_RELOAD_BUSY'
  | 'SM_CRASH_LOOP'
  | 'SM_STOPPING'
  | 'SM_WORKER_UNKNOWN'
  | 'SM_NO_SUPERVISOR'
  | 'SM_CONTROL_BUSY'
  | 'SM_REQUEST_INVALID'
  | 'SM_SCENARIO_INVALID'
  | 'SM_PACKAGE_MISSING'
  | 'SM_LEASE_EXCEEDED'
  | 'SM_LEASE_EMPTY'
  | 'SM_INTERNAL'

/**
 * The one error class of stationmaster. The message is a whole sentence: what happened, with the numbers, and what to do.
 *
 * @example
 * try { await supervisor.reload() } catch (error) {
 *   if (error instanceof StationmasterError && error.code === 'SM_RELOAD_FAILED') keepTheOldVersion()
 * }
 */
export class StationmasterError extends Error {
  override readonly name = 'StationmasterError'
  readonly code: ErrorCode
  readonly fault: Fault

  constructor(code: ErrorCode, fault: Fault, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
    this.fault = fault
  }
}
