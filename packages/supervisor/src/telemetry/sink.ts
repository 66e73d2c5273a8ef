import { performance } from 'node:perf_hooks'
import { outliveReader } from './outlive-reader.ts'
import { createRing } from './ring.ts'

/** What the stream itself may hold unread; Node would take any amount. */
const MOST_UNREAD_BYTES = 64 * 1024
/** A sink that failed may come back (a disk with room again, a rotated pipe), so it is asked again from time to time. */
const RETRY_AFTER_MS = 1000

export interface Sink {
  /** Takes a line without its newline. Never throws, never waits, never keeps more than a bounded amount. */
  write(line: string): void
  /** Resolves with true when all lines were taken by the stream, with false when it failed or `timeoutMs` passed before that. */
  flush(timeoutMs: number): Promise<boolean>
}

/** `lostLine` makes the line that tells how many were lost; it is written as soon as the stream takes lines again. */
export function createSink(stream: NodeJS.WritableStream, lostLine: (lost: number) => string): Sink {
  const output = stream as NodeJS.WriteStream
  const ring = createRing(lostLine)
  const waiters = createWaiters()
  let failedAtMs: number | null = null
  let pumping = false

  // What fails is told to the one who wrote it.
  outliveReader(output)

  const isDone = (): boolean => ring.isEmpty() && output.writableLength === 0
  const isGone = (): boolean => output.destroyed || output.writableEnded || output.errored !== null

  function failed(): void {
    failedAtMs = performance.now()
    waiters.wake()
  }

  function pump(): void {
    if (pumping || isGone()) return
    pumping = true
    if (failedAtMs === null) {
      let sent = true
      while (sent && failedAtMs === null && output.writableLength < MOST_UNREAD_BYTES) sent = sendNext()
    } else if (performance.now() - failedAtMs >= RETRY_AFTER_MS) {
      // One line finds out whether the sink is back; the others wait for its answer.
      failedAtMs = performance.now()
      sendNext()
    }
    pumping = false
  }

  function sendNext(): boolean {
    const next = ring.take()
    if (next === null) return false
    const onTaken = (error?: Error | null): void => {
      if (error) {
        ring.lose(next.stands)
        failed()
        return
      }
      failedAtMs = null
      pump()
      if (isDone()) waiters.wake()
    }
    try {
      output.write(`${next.line}\n`, onTaken)
    } catch (error) {
      onTaken(error as Error)
    }
    return true
  }

  return {
    write(line) {
      ring.keep(line)
      if (isGone()) ring.loseAll()
      pump()
    },
    async flush(timeoutMs) {
      pump()
      if (failedAtMs !== null || isGone()) return false
      if (isDone()) return true
      await waiters.wait(timeoutMs)
      return failedAtMs === null && isDone()
    },
  }
}

/** Those who wait for the last line. */
function createWaiters(): { wait(timeoutMs: number): Promise<void>; wake(): void } {
  const waiting = new Set<() => void>()
  return {
    async wait(timeoutMs) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs)
        waiting.add(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    },
    wake() {
      for (const wake of waiting) wake()
      waiting.clear()
    },
  }
}
