import { inspect } from 'node:util'

/** One line on the worker's stderr, which the primary reads. Never throws. */
export function complain(sentence: string, cause?: unknown): void {
  try {
    process.stderr.write(`stationmaster: ${sentence}${cause === undefined ? '' : ` ${describe(cause)}`}\n`)
  } catch {
    // stderr is gone; there is nobody left to tell
  }
}

function describe(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : inspect(cause)
}
