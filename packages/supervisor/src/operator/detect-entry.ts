import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'

/** Where servers usually are, built ones first. */
const USUAL = [
  'dist/server.js',
  'dist/index.js',
  'dist/main.js',
  'build/server.js',
  'server.js',
  'app.js',
  'index.js',
  'src/server.ts',
  'src/index.ts',
]

const SOURCE_FILE = /\.[cm]?[jt]s$/

/** What `npm init` writes, whether there is such a file or not. */
const NOBODYS_CHOICE = 'index.js'

interface Detected {
  /** The file that starts the app, as `./dist/server.js`. */
  readonly entry: string | null
  /** The start script of package.json, if it names the entry and more. */
  readonly script: string | null
}

/** What `npm start` runs in this folder, else package.json's main, else where servers usually are. */
export async function detectEntry(folder: string): Promise<Detected> {
  const { main, start } = await readPackage(folder)
  const started = scriptEntry(start)
  if (started !== null) return { entry: relative(started), script: start === `node ${started}` ? null : start }
  // What is named counts even if it is not built yet.
  if (main !== null && main !== NOBODYS_CHOICE && SOURCE_FILE.test(main)) return { entry: relative(main), script: null }
  for (const file of main === NOBODYS_CHOICE ? [main, ...USUAL] : USUAL)
    if (await isFile(path.join(folder, file))) return { entry: relative(file), script: null }
  return { entry: null, script: null }
}

async function readPackage(folder: string): Promise<{ main: string | null; start: string | null }> {
  try {
    const { main, scripts } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as {
      main?: unknown
      scripts?: { start?: unknown }
    }
    return { main: textOrNull(main), start: textOrNull(scripts?.start) }
  } catch {
    return { main: null, start: null }
  }
}

/** Flags of Node whose value is a file that is not the entry. */
const PRELOADS = new Set(['-r', '--require', '--import', '--loader', '--experimental-loader', '--env-file'])

/** The first source file that a script names: `node --import ./trace.js dist/server.js` starts `dist/server.js`. */
function scriptEntry(script: string | null): string | null {
  const words = script?.split(/\s+/) ?? []
  return words.find((word, index) => SOURCE_FILE.test(word) && !word.startsWith('-') && !PRELOADS.has(words[index - 1] ?? '')) ?? null
}

const relative = (file: string): string => (/^(\.\.?)?\//.test(file) ? file : `./${file}`)
const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null)
const isFile = async (file: string): Promise<boolean> => (await stat(file).catch(() => null))?.isFile() ?? false
