import type net from 'node:net'
import { complain } from './complain.ts'

/** A replica is heard of before its first worker listens: for so long it is tried again. */
const TRIES = 15
const PAUSE_MS = 2000

/**
 * Calls a replica that was not known before, and says what stands between the two: where replicas do not reach each other, or have not the same secret, nothing fails but some requests of
 * some clients, and nobody would know why.
 *
 * @param isThere false once it is gone again: then there is nothing to complain about
 */
export function checkPeer(where: string, call: () => net.Socket, isThere: () => boolean): void {
  const attempt = (left: number): void => {
    const socket = call()
    socket.once('secureConnect', () => socket.destroy())
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (!isThere()) return
      if (left > 1 && !wasMet(error)) setTimeout(() => isThere() && attempt(left - 1), PAUSE_MS).unref()
      else complain(wasMet(error) ? stranger(where) : unreachable(where, error))
    })
  }
  attempt(TRIES)
}

/** The connection stood, and was closed by the other side, or its TLS did not understand ours. */
function wasMet({ code = '' }: NodeJS.ErrnoException): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE' || code.startsWith('ERR_SSL')
}

function unreachable(where: string, { code, message }: NodeJS.ErrnoException): string {
  return `the replica at ${where} is not reached (${code ?? message}), so clients lose their sessions between replicas. Is that its address on the private network? If not, set its replica.address.`
}

function stranger(where: string): string {
  return `the replica at ${where} refuses what this one forwards: the two have not the same replica.secret, so clients lose their sessions between replicas. Give all replicas the same.`
}
