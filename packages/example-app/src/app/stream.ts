import { type Response, Router } from 'express'
import { workerLabel } from './worker-label.ts'

const tickMs = 1_000

/** Server-sent events: answers that never end by themselves, and so must be ended when the worker is asked to leave. */
export function streamRoutes(): { readonly router: Router; readonly endAll: () => void } {
  const open = new Set<Response>()
  const router = Router()
  router.get('/stream', (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    let count = 0
    const tick = (): void => {
      // A reader that does not keep up misses ticks rather than filling this worker's memory.
      if (!response.writableNeedDrain) response.write(`id: ${++count}\ndata: ${JSON.stringify({ worker: workerLabel, count })}\n\n`)
    }
    tick()
    const timer = setInterval(tick, tickMs)
    open.add(response)
    response.once('close', () => {
      clearInterval(timer)
      open.delete(response)
    })
  })
  return {
    router,
    endAll: () => {
      // EventSource connects again by itself after `retry`, to a worker that stays.
      for (const response of open) response.end('retry: 100\n\n')
    },
  }
}
