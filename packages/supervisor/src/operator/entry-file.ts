import { stat } from 'node:fs/promises'
import { StationmasterError } from '../errors.ts'

/** What is wrong with an entry point, as a sentence; null when it is a file. */
export async function entryFault(entry: string): Promise<string | null> {
  const found = await stat(entry).catch((error: NodeJS.ErrnoException) => error.code ?? 'an error')
  if (found === 'ENOENT' || found === 'ENOTDIR') return `The entry ${entry} does not exist; build the app first, or name the right file.`
  if (typeof found === 'string') return `The entry ${entry} cannot be read (${found}); check its permissions.`
  return found.isFile() ? null : `The entry ${entry} is not a file; name the file that starts the server.`
}

/** @throws StationmasterError `SM_ENTRY_MISSING` */
export async function requireEntry(entry: string): Promise<void> {
  const fault = await entryFault(entry)
  if (fault) throw new StationmasterError('SM_ENTRY_MISSING', 'option', fault)
}
