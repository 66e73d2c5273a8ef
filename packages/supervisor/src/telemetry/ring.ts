/** Kept for a reader that is slow or gone: the newest lines, since they tell what is going on now. */
const MOST_KEPT_CHARACTERS = 512 * 1024
/** Moving the rest down at every line would cost more than the lines themselves. */
const MOST_TAKEN_LINES = 1000

export interface Ring {
  keep(line: string): void
  take(): string | undefined
  isEmpty(): boolean
  lose(lines: number): void
  loseAll(): void
  /** How many lines were lost since this was asked last. */
  takeLost(): number
}

/** Lines in bounded memory: the oldest are dropped and counted. */
export function createRing(): Ring {
  let lines: string[] = []
  let first = 0
  let characters = 0
  let lost = 0

  function take(): string | undefined {
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
      while (characters > MOST_KEPT_CHARACTERS && take() !== undefined) lost++
    },
    take,
    isEmpty: () => lines.length === 0,
    lose(count) {
      lost += count
    },
    loseAll() {
      lost += lines.length - first
      lines = []
      first = 0
      characters = 0
    },
    takeLost() {
      const count = lost
      lost = 0
      return count
    },
  }
}
