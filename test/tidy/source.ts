import { readFile, readdir } from 'node:fs/promises'
import path from 'node:path'
import { parseAst } from 'vitest/node'

/** A syntax-tree node, as far as the rules look at it. */
export interface Syntax {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [field: string]: unknown
}

/** One source file of the supervisor: its path from `src/`, with `/`, and its syntax tree. */
export interface Source {
  readonly path: string
  readonly folder: string
  readonly text: string
  readonly program: Syntax
}

export interface Import {
  readonly specifier: string
  readonly typeOnly: boolean
  readonly syntax: Syntax
}

export function parseSource(filePath: string, text: string): Source {
  const program = parseAst(text, { lang: 'ts', sourceType: 'module' }, filePath) as unknown as Syntax
  return { path: filePath, folder: filePath.includes('/') ? (filePath.split('/')[0] as string) : '', text, program }
}

export async function readSources(root: string): Promise<Source[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  const sources = files.map(async (entry) => {
    const absolute = path.join(entry.parentPath, entry.name)
    return parseSource(path.relative(root, absolute).split(path.sep).join('/'), await readFile(absolute, 'utf8'))
  })
  return (await Promise.all(sources)).sort((a, b) => a.path.localeCompare(b.path))
}

const isSyntax = (value: unknown): value is Syntax => typeof value === 'object' && value !== null && typeof (value as Syntax).type === 'string'

/** Visits every node below `syntax` and itself; `visit` answers false to leave out what is below a node. */
export function walk(syntax: Syntax, visit: (syntax: Syntax, parent: Syntax | null) => boolean | undefined, parent: Syntax | null = null): void {
  if (visit(syntax, parent) === false) return
  for (const field of Object.values(syntax)) {
    for (const part of Array.isArray(field) ? field : [field]) if (isSyntax(part)) walk(part, visit, syntax)
  }
}

/** Every module that a file names: static and dynamic imports, re-exports, and types written as `import('…')`. */
export function importsOf(source: Source): Import[] {
  const found: Import[] = []
  walk(source.program, (syntax) => {
    const target = syntax['source'] ?? syntax['argument']
    const literal = isSyntax(target) && target.type === 'TSLiteralType' ? (target['literal'] as Syntax) : target
    if (!MODULE_SYNTAX.has(syntax.type) || !isSyntax(literal) || typeof literal['value'] !== 'string') return undefined
    const typeOnly = syntax['importKind'] === 'type' || syntax['exportKind'] === 'type' || syntax.type === 'TSImportType'
    found.push({ specifier: literal['value'], typeOnly, syntax })
    return undefined
  })
  return found
}

const MODULE_SYNTAX = new Set(['ImportDeclaration', 'ImportExpression', 'ExportNamedDeclaration', 'ExportAllDeclaration', 'TSImportType'])

/** The path from `src/` that a relative import leads to; null for a package. */
export function resolveImport(source: Source, specifier: string): string | null {
  return specifier.startsWith('.') ? path.posix.join(path.posix.dirname(source.path), specifier) : null
}

export function lineOf(source: Source, offset: number): number {
  return source.text.slice(0, offset).split('\n').length
}

export const place = (source: Source, syntax: Syntax): string => `${source.path}:${lineOf(source, syntax.start)}`
