import { asStep } from '../config/fault.ts'

/**
 * The line of every value in a text that is JSON, by its path (`load[1].atS`), so that what is wrong with a value can be shown where
 * it stands.
 */
export function linesOfJson(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>()
  const open: { path: string; index: number | null }[] = []
  let [line, path] = [1, '']
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[[\]{},\n]|[^\s"[\]{},:]+/g)) {
    const around = open.at(-1)
    if (token === '\n') line++
    else if (token === ']' || token === '}') open.pop()
    else if (token === ',') path = around?.index === null || !around ? path : `${around.path}[${++around.index}]`
    else if (token.startsWith('"') && token.endsWith(':')) {
      path = (around?.path ?? '') + asStep(JSON.parse(token.slice(0, -1)) as string)
      path = path.replace(/^\./, '')
      lines.set(path, line)
      line += token.split('\n').length - 1
    } else {
      if (!lines.has(path)) lines.set(path, line)
      if (token === '{') open.push({ path, index: null })
      if (token === '[') {
        open.push({ path, index: 0 })
        path += '[0]'
      }
    }
  }
  return lines
}

/** The line of a path; of what it is in, where it is missing itself. */
export function lineOfPath(lines: ReadonlyMap<string, number>, path: string): number {
  for (let at = path; at !== ''; at = at.replace(/(\.[^.[\]]*|\[[^\]]*\]|^[^.[]*)$/, '')) {
    const line = lines.get(at)
    if (line !== undefined) return line
  }
  return lines.get('') ?? 1
}
