import type { IncomingMessage } from 'node:http'
import type { RequestHandler } from 'express'
import type { Server, Socket } from 'socket.io'
import { complain } from './away.ts'
import type { Database } from './database.ts'
import { workerLabel } from './worker-label.ts'

const maxLength = 500
const roomName = /^[\w-]{1,40}$/
const recentMessages = 20

/** A chat in rooms. Whoever is logged in talks under that name, others as guests; people of one room may sit on different workers. */
export function startChat(io: Server, sessions: RequestHandler, database: Database): void {
  // Without Redis nobody has a name, but people can still talk.
  io.engine.use((request: unknown, response: unknown, next: () => void) => {
    sessions(request as never, response as never, () => next())
  })
  io.on('connection', (socket) => {
    socket.emit('welcome', { worker: workerLabel, name: nameOf(socket) })
    socket.on('join', (room: unknown, answer: unknown) => void join(socket, database, room, answer))
    socket.on('say', (text: unknown, answer: unknown) => void say(io, socket, database, text, answer))
  })
}

async function join(socket: Socket, database: Database, room: unknown, answer: unknown): Promise<void> {
  if (typeof room !== 'string' || !roomName.test(room)) return reply(answer, { error: 'A room has 1 to 40 letters, digits, _ or -.' })
  for (const old of socket.rooms) if (old !== socket.id) await socket.leave(old)
  await socket.join(room)
  const recent = await orNothing(
    database.query('SELECT author, body, worker FROM messages WHERE room = $1 ORDER BY id DESC LIMIT $2', [room, recentMessages]),
  )
  reply(answer, { worker: workerLabel, room, recent: recent?.reverse() ?? [] })
}

async function say(io: Server, socket: Socket, database: Database, text: unknown, answer: unknown): Promise<void> {
  const room = [...socket.rooms].find((name) => name !== socket.id)
  if (!room) return reply(answer, { error: 'Join a room first.' })
  if (typeof text !== 'string' || text.length === 0 || text.length > maxLength) return reply(answer, { error: `1 to ${maxLength} characters.` })
  const message = { author: nameOf(socket), body: text, worker: workerLabel }
  io.to(room).emit('message', message)
  const saved = await orNothing(
    database.query('INSERT INTO messages (room, author, body, worker) VALUES ($1, $2, $3, $4)', [room, message.author, text, workerLabel]),
  )
  reply(answer, { worker: workerLabel, saved: saved !== null })
}

function nameOf(socket: Socket): string {
  const { session } = socket.request as IncomingMessage & { session?: { name?: string } }
  return session?.name ?? `guest ${socket.id.slice(0, 4)}`
}

/** The chat goes on without its history. */
async function orNothing<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work
  } catch (error) {
    complain('chat', error)
    return null
  }
}

function reply(answer: unknown, value: object): void {
  if (typeof answer === 'function') answer(value)
}
