import { readFile, readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { types } from 'node:util'
import { StationmasterError } from '../errors.ts'
import { explainImport, explainJson, explainRead } from './config-faults.ts'

const NAMES = ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs', 'json'].map((extension) => `stationmaster.config.${extension}`)
const EXTENSIONS = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '.json']

/** A configuration is a page of text; whatever is larger is another file. */
const MAX_FILE_BYTES = 1_000_000

/** A module may await something before it exports, but not for ever. */
const IMPORT_TIMEOUT_MS = 10_000

/**
 * The config file of a folder, or null.
 *
 * @throws StationmasterError `SM_CONFIG_UNREADABLE` if there are several, because nobody could tell which one counts.
 */
export async function findConfigFile(folder: string): Promise<string | null> {
  const present = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    throw unreadable(folder, explainRead(error))
  })
  const [first, ...others] = NAMES.filter((name) => present.includes(name))
  if (first === undefined) return null
  if (others.length > 0) throw unreadable(folder, `has several config files, ${[first, ...others].join(' and ')}; keep one, or choose with --config`)
  return path.join(folder, first)
}

/**
 * What a config file says, unchecked. TypeScript and JavaScript are imported by Node itself: their default export counts.
 *
 * @throws StationmasterError `SM_CONFIG_UNREADABLE` with one sentence that says where and why.
 */
export async function loadConfigFile(file: string, timeoutMs: number = IMPORT_TIMEOUT_MS): Promise<unknown> {
  const extension = path.extname(file)
  if (!EXTENSIONS.includes(extension)) throw unreadable(file, `is not a config file; expected one that ends in ${EXTENSIONS.join(', ')}`)
  const text = await readText(file)
  if (text.trim() === '') throw unreadable(file, 'is empty; write `export default { entry: "./server.js" }`, or as JSON { "entry": "./server.js" }')
  return extension === '.json' ? parseJson(file, text) : importDefault(file, timeoutMs)
}

async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file)
    if (size > MAX_FILE_BYTES) throw unreadable(file, `has ${size} bytes; a config file has at most ${MAX_FILE_BYTES}`)
    // Editors on Windows begin a file with a byte order mark.
    return (await readFile(file, 'utf8')).replace(/^\uFEFF/, '')
  } catch (error) {
    throw error instanceof StationmasterError ? error : unreadable(file, explainRead(error))
  }
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw unreadable(file, explainJson(error, text))
  }
}

async function importDefault(file: string, timeoutMs: number): Promise<unknown> {
  const module = await importWithin(file, timeoutMs)
  const exported = module['default']
  if (exported === undefined) throw unreadable(file, 'has no default export; write `export default { entry: "./server.js" }`')
  if (typeof exported === 'function') throw unreadable(file, 'exports a function; export the options themselves')
  if (types.isPromise(exported)) throw unreadable(file, 'exports a promise; write `export default await …`, so that the options are there')
  return exported
}

async function importWithin(file: string, timeoutMs: number): Promise<Record<string, unknown>> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unreadable(file, `was still loading after ${timeoutMs} ms; it may wait for something`)), timeoutMs)
  })
  try {
    return await Promise.race([import(pathToFileURL(file).href) as Promise<Record<string, unknown>>, tooLate])
  } catch (error) {
    throw error instanceof StationmasterError && error.code === 'SM_CONFIG_UNREADABLE' ? error : unreadable(file, await explainImport(error, file))
  } finally {
    clearTimeout(timer)
  }
}

function unreadable(file: string, why: string): StationmasterError {
  return new StationmasterError('SM_CONFIG_UNREADABLE', 'option', `${file} ${why}.`)
}
