import type { Socket } from 'node:net'
import { builtin } from './builtin.ts'

/** Carries what the private socket between two workers cannot show: whose request it is. Never sent to clients, never taken from them. */
export const CLIENT_HEADER = 'x-stationmaster-client'

/** What an app may ask of a client's connection. */
interface Client {
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  readonly remoteFamily: string | undefined
  readonly encrypted: boolean
}

interface Note {
  readonly client: Client
  /** Which of the app's HTTP servers the client is connected to. */
  readonly server: number
}

/** Signing and checking cost more than the rest of a small request: each connection has it done once. */
const WRITTEN = Symbol('stationmaster.note-written')
const READ = Symbol('stationmaster.note-read')
type Noted = Socket & { [WRITTEN]?: { readonly server: number; readonly text: string }; [READ]?: { readonly server: number; readonly text: string } }

/** The truth about a client's connection, signed, as a header value. */
export function describeClient(socket: Socket, server: number, secret: string): string {
  const noted = socket as Noted
  if (noted[WRITTEN]?.server !== server) noted[WRITTEN] = { server, text: write(socket, server, secret) }
  return noted[WRITTEN].text
}

function write(socket: Socket, server: number, secret: string): string {
  const { remoteAddress, remotePort, remoteFamily } = socket
  const client: Client = { remoteAddress, remotePort, remoteFamily, encrypted: 'encrypted' in socket && socket.encrypted === true }
  const text = Buffer.from(JSON.stringify({ client, server } satisfies Note)).toString('base64url')
  return `${text}.${sign(text, secret)}`
}

/** Makes a connection between workers look like the client's own, and tells the server that is meant; null if no worker of this fleet wrote the note. */
export function assumeClient(socket: Socket, note: unknown, secret: string): number | null {
  const noted = socket as Noted
  if (typeof note !== 'string') return null
  if (noted[READ]?.text === note) return noted[READ].server
  const [text = '', tag = ''] = note.split('.')
  const expected = Buffer.from(sign(text, secret))
  if (tag.length !== expected.length || !builtin('node:crypto').timingSafeEqual(Buffer.from(tag), expected)) return null
  const { client, server } = JSON.parse(Buffer.from(text, 'base64url').toString()) as Note
  for (const [name, value] of Object.entries(client)) Object.defineProperty(socket, name, { value, configurable: true })
  noted[READ] = { server, text: note }
  return server
}

function sign(text: string, secret: string): string {
  return builtin('node:crypto').createHmac('sha256', secret).update(`client ${text}`).digest('base64url')
}
