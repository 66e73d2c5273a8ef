import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The file behind the command `stationmaster`. Run by Node directly: a wrapper in between would swallow signals. */
export function findSupervisorBin(): string {
  const folder = packageFolder(dirname(fileURLToPath(import.meta.resolve('stationmaster'))))
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { bin?: string | Record<string, string> }
  const file = join(folder, (typeof bin === 'string' ? bin : bin?.['stationmaster']) ?? '')
  if (!file.endsWith('js') || !existsSync(file))
    throw new Error('stationmaster is not built yet: `npm start` at the top of the repository builds it first.')
  return file
}

function packageFolder(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : packageFolder(dirname(folder))
}
