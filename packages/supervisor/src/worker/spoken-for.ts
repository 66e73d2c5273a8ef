import type { Duplex } from 'node:stream'

/**
 * Every listener of an upgrade sees it, and some end after a while what nobody has answered: each Socket.IO server does so after a second with what is another one's. An upgrade that is on its
 * way to its owner, which may be busy for longer, looks to them as if there was nothing to end. Returns what takes that back.
 */
export function speakFor(socket: Duplex): () => void {
  Object.defineProperty(socket, 'writable', { value: false, writable: true, configurable: true })
  return () => void Reflect.deleteProperty(socket, 'writable')
}
