import { setTimeout as sleep } from 'node:timers/promises'
import { Router } from 'express'
import type { Database } from './database.ts'
import { workerLabel } from './worker-label.ts'

/** Routes that do nothing useful in a controlled way, to see how a fleet copes with each kind of work. */
export function workRoutes(database: Database): Router {
  const router = Router()
  router.get('/cpu', (request, response) => {
    const ms = milliseconds(request.query['ms'], 20, 2_000)
    const rounds = burn(ms)
    response.json({ worker: workerLabel, burnedMs: ms, rounds })
  })
  router.get('/wait', async (request, response) => {
    const ms = milliseconds(request.query['ms'], 50, 10_000)
    await sleep(ms)
    response.json({ worker: workerLabel, waitedMs: ms })
  })
  router.get('/query', async (request, response) => {
    const ms = milliseconds(request.query['sleep'], 0, 5_000)
    const [row] = await database.query<{ notes: number; backend: number }>(
      'SELECT (SELECT count(*)::int FROM notes) AS notes, pg_backend_pid() AS backend, pg_sleep($1)',
      [ms / 1_000],
    )
    response.json({ worker: workerLabel, notes: row?.notes, backend: row?.backend, sleptMs: ms })
  })
  return router
}

/** Occupies the event loop, as a big JSON or a template would. */
function burn(ms: number): number {
  const end = performance.now() + ms
  let rounds = 0
  while (performance.now() < end) rounds++
  return rounds
}

/** A query parameter within bounds: nobody may park a worker for an hour. */
function milliseconds(value: unknown, fallback: number, max: number): number {
  const number = typeof value === 'string' && value !== '' ? Number(value) : fallback
  return Number.isFinite(number) ? Math.min(Math.max(number, 0), max) : fallback
}
