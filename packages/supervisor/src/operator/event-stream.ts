import type { ServerResponse } from 'node:http'
import type { Control } from '../primary/ports.ts'

/** A consumer that lags behind by more than this is dropped: it can come back, the memory of the primary cannot. */
const MAX_BACKLOG_BYTES = 256 * 1024

/** Proxies and clients take a stream for dead after 30 to 60 s without a byte. */
const HEARTBEAT_MS = 15_000

/** Server-sent events: one stream for each consumer, each note as `event: <kind>` with the note as JSON. */
export interface EventStreams {
  open(response: ServerResponse): void
  /** Ends every stream. */
  close(): void
}

export function createEventStreams(control: Pick<Control, 'subscribe'>): EventStreams {
  const open = new Set<ServerResponse>()
  return {
    open(response) {
      response.writeHead(200, {
        'Content-Type': 'text/event-stream; charset=utf-8',
        'Cache-Control': 'no-store',
        'X-Content-Type-Options': 'nosniff',
      })
      const write = (part: string): void => {
        if (response.writableEnded || response.destroyed) return
        response.write(part)
        if (response.writableLength > MAX_BACKLOG_BYTES) response.destroy()
      }
      const unsubscribe = control.subscribe((note) => write(`event: ${note.kind}\ndata: ${JSON.stringify(note)}\n\n`))
      const heartbeat = setInterval(() => write(': still here\n\n'), HEARTBEAT_MS).unref()
      open.add(response)
      response.once('close', () => {
        clearInterval(heartbeat)
        unsubscribe()
        open.delete(response)
      })
      // Tells the client that it is subscribed, before anything happens.
      write(': welcome\n\n')
    },
    close() {
      for (const response of open) response.end()
    },
  }
}
