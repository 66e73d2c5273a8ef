import type { TimedNote } from '../fleet/note.ts'

/** The notes of an event stream, in order. Ends with the stream, whichever way it ends: a supervisor that is gone has no more to tell. */
export async function* parseEvents(stream: AsyncIterable<unknown>): AsyncGenerator<TimedNote, void, undefined> {
  let pending = ''
  try {
    for await (const chunk of stream) {
      pending += String(chunk)
      const blocks = pending.split('\n\n')
      pending = blocks.pop() ?? ''
      for (const block of blocks) {
        const data = block.split('\n').find((line) => line.startsWith('data: '))
        if (data) yield JSON.parse(data.slice('data: '.length)) as TimedNote
      }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error
  }
}
