import { RedisStore } from 'connect-redis'
import { type RequestHandler, Router } from 'express'
import session from 'express-session'
import { sessionClient } from './session-client.ts'
import type { Redis } from 'ioredis'

declare module 'express-session' {
  interface SessionData {
    name?: string
  }
}

/** Every worker and replica must agree on it, so it cannot be made up at start. */
const secret = process.env['SESSION_SECRET'] ?? 'only good enough for an example'
const maxNameLength = 40

export function sessionMiddleware(redis: Redis | null): RequestHandler {
  return session({
    store: new RedisStore({ client: sessionClient(redis), prefix: 'example:session:' }),
    name: 'example.sid',
    secret,
    resave: false,
    saveUninitialized: false,
    cookie: { httpOnly: true, sameSite: 'lax', secure: 'auto', maxAge: 3_600_000 },
  })
}

/** Only these routes load the session: the others keep working at full speed, and without Redis. */
export function sessionRoutes(sessions: RequestHandler): Router {
  const router = Router()
  router.use(['/login', '/me', '/logout'], sessions)
  router.post('/login', async (request, response) => {
    const name = typeof request.body?.name === 'string' ? request.body.name.trim().slice(0, maxNameLength) : ''
    if (!name) {
      response.status(400).json({ error: 'Send {"name": "…"} with at least one letter.' })
      return
    }
    // A new id at login, so that a session id planted before it is worth nothing.
    await new Promise<void>((resolve, reject) => request.session.regenerate((error) => (error ? reject(error) : resolve())))
    request.session.name = name
    // Saved before the answer: a 200 must mean that every worker knows this session.
    await new Promise<void>((resolve, reject) => request.session.save((error) => (error ? reject(error) : resolve())))
    response.json({ name })
  })
  router.get('/me', (request, response) => {
    const name = request.session.name
    if (name) response.json({ name })
    else response.status(401).json({ error: 'Not logged in: POST /login first.' })
  })
  router.post('/logout', async (request, response) => {
    await new Promise<void>((resolve, reject) => request.session.destroy((error) => (error ? reject(error) : resolve())))
    response.clearCookie('example.sid').json({ ok: true })
  })
  return router
}
