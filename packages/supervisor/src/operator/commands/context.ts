import type { Settings } from '../../config/settings.ts'
import type { Capacity } from '../../policy/sample.ts'
import type { Terminal } from '../terminal.ts'

/** What commands need from the other parts of the supervisor; each is loaded when it is first asked for. */
export interface Outside {
  /** Runs a fleet until it has ended; resolves with its exit code. */
  runSupervisor(settings: Settings): Promise<0 | 1>
  readCapacity(): Promise<Capacity>
  findPortHolder(port: number): Promise<string | null>
}

export interface CommandContext {
  readonly terminal: Terminal
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  /** The folder the command was typed in. */
  readonly folder: string
  readonly environment: NodeJS.ProcessEnv
  /** What follows `--`, for the app. */
  readonly appArgs: readonly string[]
  readonly version: string
  readonly outside: Outside
}
