import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { StationmasterError } from '../../errors.ts'
import type { ControlClient } from '../control-client.ts'

/** Writes what the supervisor remembers into a new file, for its owner's eyes; answers how many events there are. No half file is left behind. */
export async function saveRecording(control: ControlClient, file: string): Promise<number> {
  let lines = 0
  // The first line first: where no supervisor answers there is to be no file.
  const recording = control.recording()[Symbol.asyncIterator]()
  const first = await recording.next()
  async function* written(): AsyncGenerator<string, void, undefined> {
    for (let line = first; !line.done; line = await recording.next()) {
      lines++
      yield `${line.value}\n`
    }
  }
  try {
    await pipeline(written, createWriteStream(file, { flags: 'wx', mode: 0o600 }))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw unwritable(`${file} exists already; name a file that does not.`)
    if (error instanceof StationmasterError || code === undefined) await rm(file, { force: true })
    throw error instanceof StationmasterError ? error : unwritable(`${file} cannot be written: ${message}.`)
  }
  return Math.max(0, lines - 1)
}

const unwritable = (message: string): StationmasterError => new StationmasterError('SM_REQUEST_INVALID', 'option', message)
