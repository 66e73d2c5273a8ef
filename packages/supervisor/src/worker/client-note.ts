import type { Socket } from 'node:net'
import { builtin } from './builtin.ts'

/** What an app may ask of a client's connection. */
interface Client {
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  readonly remoteFamily: string | undefined
  readonly localAddress: string | undefined
  readonly localPort: number | undefined
  readonly encrypted: boolean
}

interface Note {
  readonly client: Client
  /** Which of the app's HTTP servers the client is connected to. */
  readonly server: number
}

/**
 * The truth about a client's connection, signed: the first line of a connection between two workers, before any HTTP. As no header carries it, clients cannot
 * send it and apps cannot give it away.
 */
export function describeClient(socket: Socket, server: number, secret: string): string {
  const { remoteAddress, remotePort, remoteFamily, localAddress, localPort } = socket
  const encrypted = 'encrypted' in socket && socket.encrypted === true
  const client: Client = { remoteAddress, remotePort, remoteFamily, localAddress, localPort, encrypted }
  const text = Buffer.from(JSON.stringify({ client, server } satisfies Note)).toString('base64url')
  return `${text}.${sign(text, secret)}`
}

/** Makes a connection between workers look like the client's own, and tells the server that is meant; null if no worker of this fleet wrote the note. */
export function assumeClient(socket: Socket, note: string, secret: string): number | null {
  const [text = '', tag = ''] = note.split('.')
  const [given, expected] = [Buffer.from(tag), Buffer.from(sign(text, secret))]
  if (given.length !== expected.length || !builtin('node:crypto').timingSafeEqual(given, expected)) return null
  const { client, server } = JSON.parse(Buffer.from(text, 'base64url').toString()) as Note
  for (const [name, value] of Object.entries(client)) Object.defineProperty(socket, name, { value, configurable: true })
  return server
}

function sign(text: string, secret: string): string {
  return builtin('node:crypto').createHmac('sha256', secret).update(`client ${text}`).digest('base64url')
}
