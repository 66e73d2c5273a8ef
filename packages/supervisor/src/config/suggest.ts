/** What people write who come from PM2 or from an older habit. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  script: 'entry',
  exec: 'entry',
  instances: 'workers.max',
  node_args: 'execArgv',
  interpreter_args: 'execArgv',
  max_memory_restart: 'workers.memoryLimit',
  wait_ready: 'workers.readyWhen',
  listen_timeout: 'workers.bootTimeout',
  kill_timeout: 'drain.timeout',
}

/** More names than this are no help in a sentence. */
const MAX_LISTED = 8

/** Completes "… is not an option; " for a name that nobody knows. `elsewhere` are the paths of all options. */
export function unknownName(name: string, siblings: readonly string[], elsewhere: readonly string[] = [], group = ''): string {
  const sibling = nearest(name, siblings)
  if (sibling) return `did you mean ${group}${sibling}?`
  const other = (Object.hasOwn(OTHER_NAMES, name) ? OTHER_NAMES[name] : undefined) ?? elsewhere.find((path) => path.endsWith(`.${name}`))
  if (other) return `did you mean ${other}?`
  if (siblings.length > MAX_LISTED) return 'remove it, or see the option table for its name'
  return siblings.length === 1 ? `only ${siblings[0]} is` : `the options here are ${siblings.join(', ')}`
}

/** The candidate that the name is probably a slip of the pen for. Short names must agree, because there every other name is near. */
export function nearest(name: string, candidates: readonly string[]): string | null {
  const allowed = name.length <= 2 ? 0 : name.length <= 6 ? 1 : 2
  let best: string | null = null
  let bestDistance = allowed + 1
  for (const candidate of candidates) {
    // Lengths first: it spares the work, and a name of a megabyte would cost a lot of it.
    if (Math.abs(candidate.length - name.length) > allowed) continue
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best
}

/** Insertions, deletions, replacements and swaps of neighbours between two texts. */
function editDistance(a: string, b: string): number {
  let [beforeLast, last]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, column) => column)]
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      let cost = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + (same ? 0 : 1))
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (swapped) cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1)
      current.push(cost)
    }
    ;[beforeLast, last] = [last, current]
  }
  return last[b.length] ?? 0
}
