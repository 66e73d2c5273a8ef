import { createServer } from 'node:http'
import express from 'express'
import { Server } from 'socket.io'
import { attachSocketIO, onDrain } from 'stationmaster/worker'
import { answerErrors } from './app/away.ts'
import { startChat } from './app/chat.ts'
import { openDatabase } from './app/database.ts'
import { noteRoutes } from './app/notes.ts'
import { pageRoutes } from './app/page.ts'
import { openRedis } from './app/redis.ts'
import { sessionMiddleware, sessionRoutes } from './app/sessions.ts'
import { streamRoutes } from './app/stream.ts'
import { workRoutes } from './app/work.ts'
import { labelResponses, workerLabel } from './app/worker-label.ts'

// The same file runs alone (`node src/server.ts`) and as one of many workers: nothing below asks which of the two it is.
const [database, redis] = await Promise.all([openDatabase(process.env['DATABASE_URL']), openRedis(process.env['REDIS_URL'])])
const sessions = sessionMiddleware(redis)
const streams = streamRoutes()

const app = express()
app.disable('x-powered-by')
app.use(labelResponses)
app.get('/health', (_request, response) => {
  // Always 200: a worker is not ill because a database is, and replacing it would not bring the database back.
  response.json({ ok: true, worker: workerLabel, postgres: database.state(), redis: redis?.status ?? 'off' })
})
app.use(express.json({ limit: '16kb' }))
app.use(pageRoutes(), workRoutes(database), noteRoutes(database), sessionRoutes(sessions), streams.router)
app.use((_request, response) => {
  response.status(404).json({ error: 'There is nothing at this address.' })
})
app.use(answerErrors)

const server = createServer(app)
// Above the idle time-out of the proxy in front (60 s on most platforms), or the proxy sends requests into connections we just closed.
server.keepAliveTimeout = 65_000
const io = new Server(server, { transports: ['websocket'] })
attachSocketIO(io)
startChat(io, sessions, database)

// The pool needs no word here: createPool() ends what it made.
onDrain(() => {
  streams.endAll()
  redis?.disconnect()
})

const port = Number(process.env['PORT'] ?? 3000)
server.listen({ port, host: process.env['HOST'] ?? '::' }, () => {
  if (workerLabel === 'alone') console.log(`Listening on port ${port}.`)
})
