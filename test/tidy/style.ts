import { type Source, type Syntax, importsOf, lineOf, place, walk } from './source.ts'

const LONGEST_FILE_LINES = 250
const LONGEST_FUNCTION_LINES = 70

const PURE_FOLDERS = new Set(['policy', 'fleet', 'wire', 'config', 'simulator'])

/** Globals through which time, chance or the outside would get into a pure folder. */
const IMPURE_GLOBALS = new Set(
  `performance console process globalThis global crypto fetch require navigator setTimeout setInterval setImmediate clearTimeout
  clearInterval clearImmediate queueMicrotask Buffer WebSocket Atomics`.split(/\s+/),
)

/** Time and chance are arguments. `new Date(aTime)` and `Date.UTC` only convert, so they are allowed. */
export function purity(sources: readonly Source[]): string[] {
  return eachSyntax(sources, (syntax, parent, source) => {
    if (!PURE_FOLDERS.has(source.folder)) return null
    if (syntax.type === 'Identifier' && IMPURE_GLOBALS.has(syntax['name'] as string) && !isName(syntax, parent))
      return `uses ${String(syntax['name'])}`
    const member = syntax.type === 'MemberExpression' ? source.text.slice(syntax.start, syntax.end) : ''
    if (/^Math\s*(\.\s*random|\[)/.test(member)) return 'uses Math.random'
    if (/^Date\b(?!\.UTC\b)/.test(member)) return `uses ${member}`
    const callee = syntax['callee'] as Syntax | undefined
    const isDate = callee?.type === 'Identifier' && callee['name'] === 'Date'
    if (isDate && (syntax.type === 'CallExpression' || (syntax['arguments'] as unknown[]).length === 0)) return 'reads the clock through Date'
    return null
  })
}

/** The name of a property, of a field in a literal, or of something in a type: no use of a global. */
function isName(syntax: Syntax, parent: Syntax | null): boolean {
  if (!parent) return false
  if (parent.type === 'MemberExpression') return parent['property'] === syntax && parent['computed'] !== true
  if (parent.type === 'Property') return parent['key'] === syntax && parent['computed'] !== true && parent['shorthand'] !== true
  return parent.type.startsWith('TS') || parent.type === 'MethodDefinition' || parent.type === 'PropertyDefinition'
}

const FORBIDDEN_SYNTAX: Readonly<Record<string, string>> = {
  TSEnumDeclaration: 'an enum is not erasable; use a union of strings',
  TSModuleDeclaration: 'a namespace is not erasable; use a file',
  TSParameterProperty: 'a parameter property is not erasable; write the field out',
  TSExportAssignment: 'export = is not ESM',
  TSImportEqualsDeclaration: 'import = is not ESM',
  ExportDefaultDeclaration: 'no default exports: a thing has one name everywhere',
}

export function forbiddenSyntax(sources: readonly Source[]): string[] {
  return eachSyntax(sources, (syntax, _, source) => {
    if (syntax.type === 'ExportAllDeclaration' && source.folder !== '') return 'no barrels inside: import from the file that has it'
    if (syntax.type === 'ExportNamedDeclaration' && syntax['source'] && source.folder !== '')
      return 'no re-exports inside: import from the file that has it'
    return FORBIDDEN_SYNTAX[syntax.type] ?? null
  })
}

/** What is imported and only used as a type is imported as a type: the reader, and Node, see what is really needed. */
export function typeImports(sources: readonly Source[]): string[] {
  return sources.flatMap((source) => {
    const used = namesUsedAsValues(source)
    return importsOf(source).flatMap(({ syntax, typeOnly }) => {
      if (typeOnly || syntax.type !== 'ImportDeclaration') return []
      const values = (syntax['specifiers'] as Syntax[]).filter((specifier) => specifier['importKind'] !== 'type')
      const names = values.map((specifier) => (specifier['local'] as Syntax)['name'] as string)
      return names.filter((name) => !used.has(name)).map((name) => `${place(source, syntax)} ${name} is only a type here: import type`)
    })
  })
}

function namesUsedAsValues(source: Source): Set<string> {
  const used = new Set<string>()
  walk(source.program, (syntax, parent) => {
    if (syntax.type === 'ImportDeclaration' || TYPES_ONLY.test(syntax.type)) return false
    if (syntax.type === 'Identifier' && !isName(syntax, parent)) used.add(syntax['name'] as string)
    if (syntax.type === 'Identifier' && parent && VALUES_IN_TS.has(parent.type)) used.add(syntax['name'] as string)
    return undefined
  })
  return used
}

const TYPES_ONLY = /^TS(TypeAnnotation|TypeParameter\w*|InterfaceDeclaration|TypeAliasDeclaration|TypeReference|TypeQuery|\w*Type|ClassImplements)$/
const VALUES_IN_TS = new Set(['TSAsExpression', 'TSSatisfiesExpression', 'TSNonNullExpression', 'TSInstantiationExpression', 'TSTypeAssertion'])

export function sizes(sources: readonly Source[]): string[] {
  const broken = sources.flatMap((source) => {
    const lines = source.text.trimEnd().split('\n').length
    return lines > LONGEST_FILE_LINES ? [`${source.path} has ${lines} lines; the most is ${LONGEST_FILE_LINES}`] : []
  })
  const functions = eachSyntax(sources, (syntax, _, source) => {
    if (!/^(Function|ArrowFunction)/.test(syntax.type)) return null
    const lines = lineOf(source, syntax.end) - lineOf(source, syntax.start) + 1
    return lines > LONGEST_FUNCTION_LINES ? `a function of ${lines} lines; the most is ${LONGEST_FUNCTION_LINES}` : null
  })
  return [...broken, ...functions]
}

/** One word per idea: primary, worker, replica. */
const BANNED_WORDS = new Set(['master', 'masters', 'slave', 'slaves', 'child', 'children', 'instance', 'instances'])
/** Elsewhere "node" is the platform; in the folders that know no platform it could only mean a worker or a replica. */
const BANNED_NAMES = new Set(['node', 'nodes'])
/** Names that Node gave. */
const NAMES_OF_NODE = new Set(['ChildProcess'])
/** Where the names of other tools have to be spelled as they are, to recognise them. */
const SPEAKS_OF_OTHER_TOOLS = new Set(['config/suggest.ts'])

export function words(sources: readonly Source[]): string[] {
  const inPaths = sources.flatMap((source) =>
    bannedIn(source.path.replace(/\.ts$/, '')).map((word) => `${source.path} has the word ${word} in its name`),
  )
  const inNames = eachSyntax(sources, (syntax, parent, source) => {
    const name = syntax['name'] as string
    if (syntax.type !== 'Identifier' || NAMES_OF_NODE.has(name) || SPEAKS_OF_OTHER_TOOLS.has(source.path)) return null
    // A field of a foreign object has the name it has; a field of our own is caught where it is declared.
    if (parent?.type === 'MemberExpression' && parent['property'] === syntax) return null
    const [word] = PURE_FOLDERS.has(source.folder) && BANNED_NAMES.has(name) ? [name] : bannedIn(name)
    return word ? `the name ${name} has the word ${word}` : null
  })
  return [...inPaths, ...inNames]
}

function bannedIn(name: string): string[] {
  return name.split(/(?=[A-Z])|[^A-Za-z]+/).filter((word) => BANNED_WORDS.has(word.toLowerCase()))
}

function eachSyntax(sources: readonly Source[], judge: (syntax: Syntax, parent: Syntax | null, source: Source) => string | null): string[] {
  const broken: string[] = []
  for (const source of sources) {
    walk(source.program, (syntax, parent) => {
      const verdict = judge(syntax, parent, source)
      if (verdict !== null) broken.push(`${place(source, syntax)} ${verdict}`)
      return undefined
    })
  }
  return broken
}
