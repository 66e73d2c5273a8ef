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
      cause = error
    }
  }
  const sentence = `${neededBy} needs the package ${name}, which could not be loaded. Add it to the dependencies of the application.`
  throw new StationmasterError('SM_PACKAGE_MISSING', 'application', sentence, { cause })
}
