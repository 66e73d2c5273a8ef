import { Writable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'

export interface Collector {
  readonly stream: Writable
  readonly lines: string[]
  /** Resolves when a line holds `text`; a test bounds the wait. */
  hears(text: string): Promise<void>
  records(): Record<string, unknown>[]
}

/** A sink that keeps what it takes; `take` decides when a chunk counts as taken, or with which error it fails. */
export function collect(take: (done: (error?: Error | null) => void) => void = (done) => done(), autoDestroy = true): Collector {
  const lines: string[] = []
  const stream = new Writable({
    autoDestroy,
    decodeStrings: true,
    write(chunk: Buffer, _encoding, done) {
      take((error) => {
        if (!error) lines.push(...chunk.toString().split('\n').slice(0, -1))
        done(error)
      })
    },
  })
  return {
    stream,
    lines,
    async hears(text) {
      while (!lines.some((line) => line.includes(text))) await pause(5)
    },
    records: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
  }
}
