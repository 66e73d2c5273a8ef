const ERROR = /^\s*(Uncaught )?[\w.]*(Error|Exception)\b[^:]*: /
/** What is printed around an error: its source line, its stack, and the version of Node. */
const AROUND = /^\s*(at |\^+$|[{}\])]|throw |Node\.js v\d|node:|file:\/\/)/

/** The line that most likely says why a process died: the error itself rather than the stack below it; null if it said nothing. */
export function lastWords(lines: readonly string[]): string | null {
  return (lines.findLast((line) => ERROR.test(line)) ?? lines.findLast((line) => !AROUND.test(line)) ?? lines.at(-1))?.trim() ?? null
}
