import { createRequire } from 'node:module'
import { StationmasterError } from '../errors.ts'

/** Loads a package that only some apps need: as our peer if it is one, else as the app itself would. */
export function loadOptional(name: string, neededBy: string): unknown {
  const entry = process.argv[1]
  const origins = entry === undefined ? [import.meta.url] : [import.meta.url, entry]
  let cause: unknown
  for (const origin of origins) {
    try {
      return createRequire(origin)(name)
    } catch (error) {
      // That it is not there the sentence says; the stack of the search would only push it out of sight.
      if (!isAbsence(error, name)) cause ??= error
    }
  }
  const sentence = `${neededBy} needs the package ${name}, which could not be loaded. Add it to the dependencies of the application.`
  throw new StationmasterError('SM_PACKAGE_MISSING', 'application', sentence, cause === undefined ? {} : { cause })
}

/** Of the package itself, not of one that it needs. */
function isAbsence(error: unknown, name: string): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === 'MODULE_NOT_FOUND' && String(error).startsWith(`Error: Cannot find module '${name}'`)
}
