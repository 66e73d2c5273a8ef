import { execFile } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const MAX_SENTENCE_LENGTH = 300
const CHECK_TIMEOUT_MS = 5000
const MODULE_SYNTAX = /^(Unexpected token 'export'|Cannot use import statement)/

/** Why a file could not be read: the rest of a sentence that begins with its name. */
export function explainRead(error: unknown): string {
  switch (codeOf(error)) {
    case 'ENOENT':
      return 'does not exist; correct the path, or write one with `stationmaster init`'
    case 'EISDIR':
      return 'is a folder; name the file in it'
    case 'ENOTDIR':
      return 'is not a folder, or lies in something that is none'
    case 'EACCES':
    case 'EPERM':
      return 'may not be read by this user; change its permissions'
    default:
      return `cannot be read: ${firstLine(error)}`
  }
}

/** Why a text is no JSON. */
export function explainJson(error: unknown, text: string): string {
  const message = firstLine(error)
  const line = /\(line (\d+) column \d+\)/.exec(message)?.[1]
  const where = line === undefined ? '' : ` in line ${line}`
  const withoutTexts = text.replace(/"(?:[^"\\]|\\.)*"/g, '""')
  if (/\/[/*]/.test(withoutTexts)) return `is not JSON${where}: JSON has no comments; remove them, or use stationmaster.config.ts`
  return `is not JSON${where}: ${message}`
}

/** Why an import failed. Asks Node once more where it only said that something, somewhere, is no JavaScript. */
export async function explainImport(error: unknown, file: string): Promise<string> {
  const code = codeOf(error)
  const message = firstLine(error)
  if (code === 'ERR_MODULE_NOT_FOUND') return `cannot be loaded: ${message}; install it, or correct the import`
  if (!(error instanceof SyntaxError)) return `threw while it was loaded: ${message}`
  const quoted = placeIn(error.stack ?? '')
  const place = quoted ?? (await placeByCheck(file))
  const where = place === null ? '' : ` in ${place.file === file ? '' : `${place.file}, `}line ${place.line}`
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX')
    return `cannot be loaded${where}: ${message}; Node only strips types, so use syntax that needs no translation`
  // Of a module Node quotes no line.
  if (quoted !== null && MODULE_SYNTAX.test(message))
    return `cannot be loaded${where}: Node takes that file for CommonJS, which has no import or export; rename it to ${asModule(quoted.file)}`
  return `has a syntax error${where}: ${message}`
}

const asModule = (file: string): string => path.basename(file).replace(/\.c?([jt]s)$/, '.m$1')

interface Place {
  readonly file: string
  readonly line: number
}

/** Node puts `file:line` above the source line that it quotes. */
function placeIn(report: string): Place | null {
  const [, place, line] = /^((?:file:\/\/)?\/.*):(\d+)$/m.exec(report) ?? []
  if (place === undefined || line === undefined) return null
  return { file: place.startsWith('file:') ? fileURLToPath(place) : place, line: Number(line) }
}

/** The syntax error of an imported module does not tell its line; `node --check` does. */
function placeByCheck(file: string): Promise<Place | null> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--check', file], { timeout: CHECK_TIMEOUT_MS, killSignal: 'SIGKILL' }, (_error, _stdout, stderr) => {
      resolve(placeIn(stderr))
    })
  })
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** What was thrown need not be an Error, nor its message a text. */
function firstLine(error: unknown): string {
  const message: unknown = error instanceof Error ? error.message : error
  const text = typeof message === 'string' ? message : `it threw ${typeof message === 'number' ? message : `a value of type ${typeof message}`}`
  return (text.split('\n', 1)[0] as string).slice(0, MAX_SENTENCE_LENGTH).replace(/\.$/, '')
}
