import { access, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { inspect } from 'node:util'
import { StationmasterError } from '../../errors.ts'
import { findConfigFile } from '../config-file.ts'
import { detectEntry } from '../detect-entry.ts'
import type { ExitCode } from '../exit-code.ts'
import { isRailway } from '../railway.ts'
import { harmless } from '../terminal.ts'
import type { CommandContext } from './context.ts'

const NAME = 'stationmaster.config'

const RAILWAY_ADVICE = `
On Railway, set
  start command  node node_modules/stationmaster/dist/cli.js start
                 (npm and npx do not pass SIGTERM on, so that nothing could drain)
  variables      RAILWAY_DEPLOYMENT_DRAINING_SECONDS=40   time to drain before SIGKILL; 0 unless it is set
                 RAILWAY_DEPLOYMENT_OVERLAP_SECONDS=10    the old deployment serves until the new one is ready`

/** Writes a config file for the app in this folder, and says what to do next. */
export async function init({ folder, environment, terminal }: CommandContext, { railway }: { readonly railway?: boolean }): Promise<ExitCode> {
  const there = await findConfigFile(folder)
  if (there) throw refused(`${path.basename(there)} is there already; edit it, or remove it first.`)
  const { entry, script } = await detectEntry(folder)
  // Where Node takes `.ts` for CommonJS, or would have to find out, `.mts` is a module all the same.
  const file = `${NAME}.${(await isModuleFolder(folder)) ? 'ts' : 'mts'}`
  await writeFile(path.join(folder, file), configSource(entry ?? './server.js', await isInstalled(folder)), { flag: 'wx' }).catch(
    (error: NodeJS.ErrnoException) => {
      throw refused(`${file} cannot be written here (${error.code}).`)
    },
  )
  terminal.print(`Wrote ${file}.`)
  if (!entry) terminal.print('No entry point was found in package.json: name it in the file (`entry`).')
  if (script)
    terminal.print(`package.json starts it with \`${harmless(script)}\`: what that has beside the entry belongs into env, execArgv or args.`)
  terminal.print('Next: `stationmaster check`, then `stationmaster start`.')
  if (railway || isRailway(environment) || (await hasRailwayFiles(folder))) terminal.print(RAILWAY_ADVICE)
  return 0
}

/** A size that nobody chose stays a comment: written down it would be one, of which `check` warns in a small container. */
function configSource(entry: string, installed: boolean): string {
  const options = `{
  entry: ${inspect(entry)},
  // workers: { min: 1, max: 10 }, // as it is without this line; by itself never more than the container carries
}`
  // Without the package in reach its import would fail; the file works the same without the types.
  if (!installed) return `export default ${options}\n`
  return `import { defineConfig } from 'stationmaster'\n\nexport default defineConfig(${options})\n`
}

/** What the nearest package.json says; one that cannot be read says nothing. */
async function isModuleFolder(folder: string): Promise<boolean> {
  const text = await readFile(path.join(folder, 'package.json'), 'utf8').catch(() => null)
  if (text !== null) return /"type"\s*:\s*"module"/.test(text)
  const parent = path.dirname(folder)
  return parent !== folder && (await isModuleFolder(parent))
}

/** As an import in this folder finds it. (`require.resolve` would also look into NODE_PATH, which imports do not.) */
async function isInstalled(folder: string): Promise<boolean> {
  if (await exists(path.join(folder, 'node_modules', 'stationmaster', 'package.json'))) return true
  const parent = path.dirname(folder)
  return parent !== folder && (await isInstalled(parent))
}

async function hasRailwayFiles(folder: string): Promise<boolean> {
  const found = await Promise.all(['railway.json', 'railway.toml', '.railway'].map((name) => exists(path.join(folder, name))))
  return found.includes(true)
}

const exists = async (file: string): Promise<boolean> =>
  await access(file).then(
    () => true,
    () => false,
  )
const refused = (message: string): StationmasterError => new StationmasterError('SM_REQUEST_INVALID', 'option', message)
