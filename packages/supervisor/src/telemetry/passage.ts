import type { Writable } from 'node:stream'
import { outliveReader } from './outlive-reader.ts'

/** What the reader has not taken yet; beyond this it is dropped, since a log must never hold up a fleet. */
const MOST_UNREAD_BYTES = 1024 * 1024

export interface Passage {
  write(chunk: Buffer): void
  /** Nothing more will come: tells what was lost and not told yet. */
  close(): void
}

/** Hands on what workers write, as it is. What cannot be handed on is dropped and counted, and told once the reader takes more. */
export function createPassage(stream: Writable, tell: (sentence: string) => void): Passage {
  let droppedBytes = 0
  outliveReader(stream)

  function tellDropped(): void {
    if (droppedBytes === 0) return
    tell(`${Math.ceil(droppedBytes / 1024)} KB that workers wrote to stderr were dropped, because nobody read the stderr of the supervisor.`)
    droppedBytes = 0
  }

  return {
    write(chunk) {
      if (stream.writableLength < MOST_UNREAD_BYTES) return void stream.write(chunk)
      if (droppedBytes === 0) stream.once('drain', tellDropped)
      droppedBytes += chunk.length
    },
    close: tellDropped,
  }
}
