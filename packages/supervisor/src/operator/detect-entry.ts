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

/** The file that starts the app in this folder, as `./dist/server.js`: what `npm start` runs, else package.json's main, else where servers usually are. */
export async function detectEntry(folder: string): Promise<string | null> {
  const { main, start } = await readPackage(folder)
  const named = [scriptEntry(start), main].filter((file) => file !== null)
  // What is named counts even if it is not built yet.
  for (const file of named) if (SOURCE_FILE.test(file)) return relative(file)
  for (const file of USUAL) if (await isFile(path.join(folder, file))) return relative(file)
  return null
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
