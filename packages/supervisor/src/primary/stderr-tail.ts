/** Lines kept of what a worker wrote to stderr, to tell why it died: an error with its cause takes more than thirty, and what it says stands above them. */
const LINES_KEPT = 40
const LONGEST_LINE = 500

/** Said by a worker whose inspector we opened to diagnose it: no word of the app. */
const INSPECTOR_LINE = /^(Debugger (listening|attached|ending)|For help, see: https:)/

export interface StderrTail {
  push(text: string): void
  lines(): readonly string[]
}

/** Keeps the last lines of a stream in bounded memory, whatever the stream contains. */
export function createStderrTail(): StderrTail {
  let lines: string[] = []
  let rest = ''
  return {
    push(text) {
      const parts = (rest + text).split('\n')
      rest = (parts.pop() ?? '').slice(0, LONGEST_LINE)
      const whole = parts.map((line) => line.trimEnd().slice(0, LONGEST_LINE)).filter((line) => line !== '' && !INSPECTOR_LINE.test(line))
      if (whole.length > 0) lines = [...lines, ...whole].slice(-LINES_KEPT)
    },
    lines: () => (rest.trim() === '' ? lines : [...lines, rest].slice(-LINES_KEPT)),
  }
}
