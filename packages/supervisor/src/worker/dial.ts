import net from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { builtin } from './builtin.ts'

/** A machine that is there answers much sooner; one that is gone may not answer at all. */
const CONNECT_MS = 2000
/** The connection stands, so a worker is there. If it is busy for longer than this it is replaced anyway. */
const TAKEN_MS = 20_000
/** A machine that goes away in the middle of things says nothing. */
const ALIVE_AFTER_MS = 10_000

/**
 * TLS with a key that both sides have instead of certificates: each proves that it has the secret, nothing can be read, changed or replayed on the way, and a secret that leaks later
 * opens nothing that was recorded before. Node has pre-shared keys for TLS 1.2 only.
 */
export const TLS_TERMS = { ciphers: 'ECDHE-PSK-CHACHA20-POLY1305', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const
export const TLS_IDENTITY = 'stationmaster'

export interface Call {
  readonly host: string
  readonly port: number
  readonly allowHalfOpen: boolean
  /** Says in one signed line who is called. */
  readonly knock: string
  readonly key: Buffer
}

/** Opens a connection to a worker of another replica: `secureConnect` says that it has it. */
export function dial({ host, port, allowHalfOpen, knock, key }: Call): net.Socket {
  const line = net.connect({ host, port, allowHalfOpen, noDelay: true, keepAlive: true, keepAliveInitialDelay: ALIVE_AFTER_MS })
  line.write(`${knock}\n`)
  const options: ConnectionOptions = {
    ...TLS_TERMS,
    socket: line,
    pskCallback: () => ({ psk: key, identity: TLS_IDENTITY }),
    // Who has the key is who is meant; there is no certificate.
    checkServerIdentity: () => undefined,
  }
  const socket = builtin('node:tls').connect(options)
  let alarm = setTimeout(giveUp, CONNECT_MS)
  line.once('connect', () => {
    clearTimeout(alarm)
    alarm = setTimeout(giveUp, TAKEN_MS)
  })
  function giveUp(): void {
    socket.destroy(new Error(`${host} port ${port} does not answer`))
  }
  function markUnread(error: NodeJS.ErrnoException): void {
    error.syscall ??= 'connect'
  }
  // TLS and what is below it may both tell of one failure, the second time when nobody listens any more.
  socket.on('error', () => {})
  line.on('error', () => {})
  socket.once('error', markUnread)
  socket.once('secureConnect', () => {
    clearTimeout(alarm)
    socket.off('error', markUnread)
  })
  socket.once('close', () => clearTimeout(alarm))
  return socket
}
