import { Router } from 'express'
import type { Database } from './database.ts'
import { workerLabel } from './worker-label.ts'

type Note = { readonly id: string; readonly author: string; readonly body: string; readonly created_at: Date }

const newestNotes = 100
const maxBodyLength = 2_000

export function noteRoutes(database: Database): Router {
  const router = Router()
  router.get('/notes', async (_request, response) => {
    const notes = await database.query<Note>('SELECT id, author, body, created_at FROM notes ORDER BY id DESC LIMIT $1', [newestNotes])
    response.json({ notes })
  })
  router.post('/notes', async (request, response) => {
    const { body, author = `someone at worker ${workerLabel}` } = (request.body ?? {}) as { body?: unknown; author?: unknown }
    if (typeof body !== 'string' || body.length === 0 || body.length > maxBodyLength || typeof author !== 'string') {
      response.status(400).json({ error: `Send {"body": "…"} with 1 to ${maxBodyLength} characters.` })
      return
    }
    const [note] = await database.query<Note>('INSERT INTO notes (author, body) VALUES ($1, $2) RETURNING id, author, body, created_at', [
      author.slice(0, 80),
      body,
    ])
    response.status(201).json(note)
  })
  return router
}
