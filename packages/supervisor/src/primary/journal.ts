import { appendFile, mkdir, rename } from 'node:fs/promises'
import path from 'node:path'
import type { FleetEvent } from '../fleet/event.ts'
import type { Fleet } from '../fleet/fleet.ts'

/** Lines that the disk has not taken yet; beyond this they are let go, since a journal must never hold up a fleet. */
const MOST_WAITING_BYTES = 4_000_000

export interface JournalSettings {
  /** Null for no journal. */
  readonly file: string | null
  /** Of both files together: the one that is written, and `<file>.1`, the one before it. */
  readonly maxBytes: number
}

export interface Journal {
  /** `before` is the fleet before the event takes effect. */
  record(event: FleetEvent, before: () => Fleet): void
  /** Resolves when all that was recorded is written. */
  settled(): Promise<void>
}

/** The journal that is asked for. One that cannot be written ends with a warning, and hurts nobody. */
export function openJournal({ file, maxBytes }: JournalSettings, warn: (sentence: string) => void): Journal | null {
  if (file === null) return null
  return createJournal(file, maxBytes, (error) => {
    warn(`The journal ${file} cannot be written, so it ends here: ${error instanceof Error ? error.message : String(error)}`)
  })
}

/** In the queue it stands for the begin of a new file. */
const ROTATE = null

/**
 * Events as JSON Lines, each file complete by itself: a fleet as it was (`"kind":"start"`), then every event since. What a supervisor
 * before this one has written becomes the older file.
 */
function createJournal(file: string, maxBytes: number, onError: (error: unknown) => void): Journal {
  let queue: (string | typeof ROTATE)[] = []
  let waitingBytes = 0
  let fileBytes = Number.POSITIVE_INFINITY
  let failed = false
  let writing: Promise<void> | null = null

  function record(event: FleetEvent, before: () => Fleet): void {
    if (failed) return
    if (waitingBytes > MOST_WAITING_BYTES) letGo()
    if (fileBytes > maxBytes / 2) {
      queue.push(ROTATE)
      fileBytes = 0
      add({ kind: 'start', ...before() })
    }
    add(event)
    writing ??= writeAll().catch(giveUp)
  }

  function add(value: object): void {
    const line = `${JSON.stringify(value)}\n`
    queue.push(line)
    waitingBytes += line.length
    fileBytes += line.length
  }

  /** A file with a gap would not be true: what waits is let go, and a new file begins. */
  function letGo(): void {
    queue = []
    waitingBytes = 0
    fileBytes = Number.POSITIVE_INFINITY
  }

  async function writeAll(): Promise<void> {
    while (queue.length > 0) {
      if (queue[0] === ROTATE) {
        queue.shift()
        await rotate()
        continue
      }
      const end = queue.indexOf(ROTATE)
      const lines = queue.splice(0, end < 0 ? queue.length : end)
      waitingBytes -= lines.reduce((sum, line) => sum + (line?.length ?? 0), 0)
      await appendFile(file, lines.join(''), { mode: 0o600 })
    }
    writing = null
  }

  async function rotate(): Promise<void> {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
    await rename(file, `${file}.1`).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }

  function giveUp(error: unknown): void {
    failed = true
    writing = null
    letGo()
    onError(error)
  }

  return { record, settled: async () => await (writing ?? Promise.resolve()) }
}
