/** Kept for a reader that is slow or gone: the newest lines, since they tell what is going on now. */
const MOST_KEPT_CHARACTERS = 512 * 1024
/** Moving the rest down at every line would cost more than the lines themselves. */
const MOST_TAKEN_LINES = 1000

export interface Taken {
  readonly line: string
  /** For how many lines this one stands, should it get lost on its way. */
  readonly stands: number
}

export interface Ring {
  keep(line: string): void
  /** The next line to write. If some were lost, the one that tells so comes first. */
  take(): Taken | null
  isEmpty(): boolean
  lose(lines: number): void
  loseAll(): void
}

/** Lines in bounded memory: the oldest are dropped and counted. `lostLine` makes the line that tells how many. */
export function createRing(lostLine: (lost: number) => string): Ring {
  let lines: string[] = []
  let first = 0
  let characters = 0
  let lost = 0

  function shift(): string | undefined {
    const line = lines[first]
    if (line === undefined) return undefined
    first++
    characters -= line.length
    if (first > MOST_TAKEN_LINES || first === lines.length) {
      lines = lines.slice(first)
      first = 0
    }
    return line
  }

  return {
    keep(line) {
      lines.push(line)
      characters += line.length
      while (characters > MOST_KEPT_CHARACTERS && shift() !== undefined) lost++
    },
    take() {
      const stands = lost
      lost = 0
      if (stands > 0) return { line: lostLine(stands), stands }
      const line = shift()
      return line === undefined ? null : { line, stands: 1 }
    },
    isEmpty: () => lines.length === 0 && lost === 0,
    lose(count) {
      lost += count
    },
    loseAll() {
      lost += lines.length - first
      lines = []
      first = 0
      characters = 0
    },
  }
}
