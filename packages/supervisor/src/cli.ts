export { StationmasterError } from './errors.ts'
export type { ErrorCode, Fault } from './errors.ts'
