import { type Source, importsOf, place, resolveImport } from './source.ts'

/** Which folders a folder may import from, besides itself and `errors.ts`. Each is one verb; the arrows run one way. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  policy: [],
  fleet: ['policy'],
  wire: ['policy'],
  config: ['policy'],
  simulator: ['policy', 'fleet', 'wire', 'config'],
  primary: ['policy', 'fleet', 'wire', 'config'],
  worker: ['policy', 'wire', 'config'],
  replica: ['policy', 'fleet', 'wire', 'config'],
  telemetry: ['policy', 'fleet', 'wire', 'config'],
  operator: ['policy', 'fleet', 'wire', 'config', 'simulator'],
}

const MEETING_PLACE = 'primary/ports.ts'
const MEET_THERE = new Set(['replica', 'telemetry', 'operator'])

/** What both they and the policies believe wrongly would stay unseen. */
const JUDGES = new Set(
  ['checkers', 'cause-checkers', 'lease-checkers', 'lease-books', 'cluster-checkers', 'judge', 'judges', 'verdict', 'liveness'].map(
    (name) => `simulator/${name}.ts`,
  ),
)

/** What runs inside the app's process must not drag the supervisor in with it. */
const WORKER_ENTRIES = new Set(['worker.ts', 'register.ts'])

export function importDirection(sources: readonly Source[]): string[] {
  return eachImport(sources, (source, target) => {
    if (target === 'errors.ts' || source.folder === folderOf(target)) return source.path === 'errors.ts' ? 'errors.ts imports nothing' : null
    if (source.path === 'errors.ts') return 'errors.ts imports nothing'
    if (source.folder === '') return entryMay(source.path, target)
    if (JUDGES.has(source.path) && folderOf(target) === 'policy') return 'those who judge policy/ do not import it'
    if (target === MEETING_PLACE && MEET_THERE.has(source.folder)) return null
    const allowed = ALLOWED[source.folder]
    if (!allowed) return `the folder ${source.folder}/ is not in the table of test/tidy/imports.ts`
    return allowed.includes(folderOf(target)) ? null : `${source.folder}/ must not import ${target}`
  })
}

function entryMay(entry: string, target: string): string | null {
  const inWorker = ['worker', 'wire', 'policy'].includes(folderOf(target))
  return WORKER_ENTRIES.has(entry) && !inWorker ? `${entry} runs in the app's process and must not import ${target}` : null
}

/** Packages that a pure folder may use: pure themselves. */
const PURE_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  policy: ['croner'],
  wire: ['zod', 'zod/mini'],
  config: ['zod/mini', 'croner'],
  fleet: [],
  simulator: [],
}

export function packages(sources: readonly Source[]): string[] {
  const broken: string[] = []
  for (const source of sources) {
    for (const { specifier, syntax } of importsOf(source)) {
      if (specifier.startsWith('.')) continue
      const allowed = PURE_PACKAGES[source.folder]
      if (allowed && !allowed.includes(specifier)) broken.push(`${place(source, syntax)} ${source.folder}/ is pure and must not import ${specifier}`)
      if (specifier === 'node:cluster' && source.folder === 'primary' && source.path !== 'primary/processes.ts') {
        broken.push(`${place(source, syntax)} only primary/processes.ts imports node:cluster`)
      }
    }
  }
  return broken
}

export function specifiersAreWhole(sources: readonly Source[]): string[] {
  return eachImport(sources, (_, target, specifier) => (target.endsWith('.ts') ? null : `'${specifier}' must end in .ts`))
}

/** No file reaches itself again, type-only imports included: what needs each other belongs together. */
export function cycles(sources: readonly Source[]): string[] {
  const known = new Map(sources.map((source) => [source.path, source]))
  const state = new Map<string, 'open' | 'done'>()
  const broken: string[] = []
  const visit = (source: Source, trail: readonly string[]): void => {
    if (state.get(source.path) === 'done') return
    if (state.get(source.path) === 'open') {
      broken.push(`a cycle of imports: ${[...trail.slice(trail.indexOf(source.path)), source.path].join(' → ')}`)
      return
    }
    state.set(source.path, 'open')
    for (const { specifier } of importsOf(source)) {
      const target = known.get(resolveImport(source, specifier) ?? '')
      if (target) visit(target, [...trail, source.path])
    }
    state.set(source.path, 'done')
  }
  for (const source of sources) visit(source, [])
  return broken
}

function eachImport(sources: readonly Source[], judge: (source: Source, target: string, specifier: string) => string | null): string[] {
  return sources.flatMap((source) =>
    importsOf(source).flatMap(({ specifier, syntax }) => {
      const target = resolveImport(source, specifier)
      const verdict = target === null ? null : judge(source, target, specifier)
      return verdict === null ? [] : [`${place(source, syntax)} ${verdict}`]
    }),
  )
}

const folderOf = (target: string): string => (target.includes('/') ? (target.split('/')[0] as string) : '')
